"""The `nodegraph` command. `--help` loads nothing but the command line itself."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; errors become sentences, never tracebacks.

    Exit codes: 0 done, 1 a run failed, 2 bad input, 130 cancelled.
    """
    from nodegraph.cli.app import app
    from nodegraph.cli.failures import guarded

    sys.exit(guarded(app))
