"""`nodegraph export-python`: a workflow as code."""

from __future__ import annotations

from pathlib import Path

import click

from nodegraph.cli.sources import load_workflow
from nodegraph.engine import Engine
from nodegraph.graph.export import to_python


def print_python(workflow: str, data_dir: Path | None) -> None:
    """Print builder code for a workflow."""
    with Engine(data_dir) as engine:
        click.echo(to_python(load_workflow(engine, workflow), engine.registry), nl=False)
