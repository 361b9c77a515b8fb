"""`python -m benchmarks [NAME …] [--large]`: run the benchmarks, all of them or those that are named.

A benchmark is a module of this package with a function `run(*, large)`, which prints what it found and says
whether the budgets hold; the first line of its docstring is its heading.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys

import benchmarks


def main() -> int:
    """Run what the command line names. 1 if a budget is not met."""
    known = sorted(info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name != "__main__")
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="ratios, counters and tables")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(known)}")
    parser.add_argument("--large", action="store_true", help="the largest sizes too (minutes)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark '{unknown[0]}'; there is: {', '.join(known)}")
    failed = [name for name in options.names or known if not _run(name, large=options.large)]
    return 1 if failed else 0


def _run(name: str, *, large: bool) -> bool:
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n== {name}: {(module.__doc__ or '').strip().splitlines()[0]}\n")
    return bool(module.run(large=large))


if __name__ == "__main__":
    sys.exit(main())
