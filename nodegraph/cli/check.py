"""`nodegraph check`: every problem of a workflow at once, and what it can be called with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nodegraph.cli.sources import find_workflow, input_values, load_workflow
from nodegraph.declare import describe_range
from nodegraph.engine import Engine
from nodegraph.errors import WorkflowError
from nodegraph.graph.inputs import current_values, input_specs


def check_workflow(workflow: str, pairs: Sequence[str], extra: Sequence[str], data_dir: Path | None) -> None:
    """Raise WorkflowError with all problems, or print that there are none and the named inputs."""
    workflow, extra = find_workflow(workflow, extra)
    with Engine(data_dir) as engine:
        document = load_workflow(engine, workflow)
        given = input_values(engine, document, pairs, extra)
        problems = engine.check(document, **given)
        if problems:
            raise WorkflowError(problems)
        click.echo(f"{document.name or workflow}: no problems, {len(document.nodes)} nodes")
        for note in engine.bind(document, **given).notes:
            click.echo(f"note: {note}")
        specs, values = input_specs(document, engine.registry), current_values(document, engine.registry)
    table = Table(box=None, pad_edge=False)
    for column in ("input", "takes", "now", "help"):
        table.add_column(column, overflow="fold")
    for name, entry in document.inputs.items():
        takes = describe_range(specs[name]) if name in specs else ""
        table.add_row(f"--{name}", takes, json.dumps(values.get(name), ensure_ascii=False), entry.help or "")
    if document.inputs:
        Console().print(table)
    if document.outputs:
        click.echo(f"outputs: {', '.join(document.outputs)}")
