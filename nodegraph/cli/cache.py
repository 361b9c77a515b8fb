"""`nodegraph cache`: what is kept on disk, why each node of a workflow would run, and making room."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from nodegraph.cli.report import show_plan
from nodegraph.cli.sources import find_workflow, input_values, load_workflow
from nodegraph.engine import Engine
from nodegraph.execution.cache import Kept


def list_cache(as_json: bool, data_dir: Path | None) -> None:
    """Print every result on disk, the last used first, and what they take together."""
    with Engine(data_dir) as engine:
        kept = [entry for entry in engine.explain_cache() if entry.tier == "disk"]
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in kept], indent=2))
        return
    if kept:
        _show(kept)
    click.echo(f"{_results(len(kept))} on disk, {decimal(sum(entry.size for entry in kept))}")


def explain_workflow(
    workflow: str, pairs: Sequence[str], extra: Sequence[str], device: str, dtype: str, data_dir: Path | None
) -> None:
    """Print for every node whether it would run, and why."""
    workflow, extra = find_workflow(workflow, extra)
    with Engine(data_dir, device=device, dtype=dtype) as engine:
        document = load_workflow(engine, workflow)
        plan = engine.plan(document, **input_values(engine, document, pairs, extra))
        sizes = {entry.key: entry.size for entry in engine.explain_cache() if entry.tier == "disk"}
    show_plan(plan)
    actions = plan.counts
    read = sum(sizes.get(entry.key or "", 0) for entry in plan.entries.values() if entry.action == "disk")
    click.echo(", ".join(f"{count} {action}" for action, count in actions.items()))
    if read:
        click.echo(f"{decimal(read)} would be read from disk")


def clear_cache(data_dir: Path | None) -> None:
    """Remove every result on disk and the memory of the last runs; models and pictures stay."""
    with Engine(data_dir) as engine:
        count, size = engine.clear_cache()
    click.echo(f"removed {_results(count)}, {decimal(size)}")


def _show(kept: Sequence[Kept]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("key", "node", "size", "took", "last used"):
        table.add_column(column, overflow="fold", justify="right" if column in ("size", "took") else "left")
    for entry in kept:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.worth))
        table.add_row(
            entry.key[:12], entry.node or "(not ours)", decimal(entry.size), f"{entry.seconds:.2f} s", used
        )
    Console().print(table)


def _results(count: int) -> str:
    return f"{count} result{'' if count == 1 else 's'}"
