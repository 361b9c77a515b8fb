"""`python -m nodegraph` is the `nodegraph` command."""

from nodegraph.cli import main

main()
