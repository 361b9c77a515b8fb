"""`python -m benchmarks [NAME …] [--large] [--small]`: run the benchmarks, all or those named.

A benchmark is a module of this package with a function `run(*, large)`, which prints what it found and says
whether the budgets hold; the first line of its docstring is its heading. One that `run` gives a parameter
`small` also has sizes that take seconds.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys

import benchmarks

NOT_MEASURED = 3


def main() -> int:
    """Run what the command line names. 1: a budget is not met; 3: what was named needs another machine."""
    known = _benchmarks()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="ratios, counters and tables")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(known)}")
    parser.add_argument("--large", action="store_true", help="the largest sizes too (minutes)")
    parser.add_argument("--small", action="store_true", help="sizes that show that it runs, and no more")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark '{unknown[0]}'; there is: {', '.join(known)}")
    codes = [_run(name, vars(options), named=bool(options.names)) for name in options.names or known]
    return max(codes, default=0)


def _benchmarks() -> list[str]:
    """The modules that can be run; others help them."""
    names = sorted(info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name != "__main__")
    return [name for name in names if hasattr(importlib.import_module(f"benchmarks.{name}"), "run")]


def _run(name: str, options: dict[str, bool], *, named: bool) -> int:
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n== {name}: {(module.__doc__ or '').strip().splitlines()[0]}\n")
    taken = inspect.signature(module.run).parameters
    try:
        return 0 if module.run(**{key: value for key, value in options.items() if key in taken}) else 1
    except benchmarks.NotMeasured as reason:
        print(f"  nothing was measured: {reason}", file=sys.stderr if named else sys.stdout)
        return NOT_MEASURED if named else 0


if __name__ == "__main__":
    sys.exit(main())
