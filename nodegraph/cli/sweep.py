"""`nodegraph run --sweep`: one run for every cell, and a contact sheet of the results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from nodegraph.cli.previews import listener
from nodegraph.cli.progress import Display
from nodegraph.cli.signals import signals
from nodegraph.engine import Engine, RunResult
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Emit
from nodegraph.execution.files import write_numbered
from nodegraph.graph.binding import BoundGraph
from nodegraph.graph.sweep import Axis, Mode, columns, label
from nodegraph.runtime import RunRecord


def sweep(
    engine: Engine, graph: BoundGraph, axes: Sequence[Axis], mode: Mode, target: str, output: Path | None,
    previews: Path | None, *, quiet: bool,
) -> Path:  # fmt: skip
    """Run every cell and write the contact sheet: to `output`, or numbered in the output folder."""
    with Display(graph, quiet=quiet) as display:
        targets = [target] if output is not None else None
        listen = listener(engine, graph, previews, display.show)
        drawn = previews is not None
        done = asyncio.run(_run(engine, graph, axes, mode, targets, listen, previews=drawn, quiet=quiet))
    values = [result.outputs[target] for _, result in done]
    sheet = engine.contact_sheet(values, [label(cell) for cell, _ in done], columns(axes, mode))
    first = done[0][1].record
    swept = {axis.name: list(axis.values) for axis in axes}
    record = RunRecord(first.document, {**first.inputs, **swept}, {**first.run, "sweep": mode})
    if output is not None:
        return engine.export(sheet, output, record)[0]
    exporter = engine.registry.exporter(type(sheet), Path("sweep.png"))
    return write_numbered(engine.outputs, "sweep", ".png", lambda path: exporter.write(sheet, path, record))


async def _run(
    engine: Engine, graph: BoundGraph, axes: Sequence[Axis], mode: Mode, targets: Sequence[str] | None,
    listen: Emit, *, previews: bool, quiet: bool,
) -> list[tuple[Mapping[str, Any], RunResult]]:  # fmt: skip
    cancel = CancelToken()

    def tell(index: int, count: int, cell: Mapping[str, Any]) -> None:
        if not quiet:
            click.echo(f"{index + 1} of {count}: {label(cell)}", err=True)

    with signals(cancel.cancel):
        return await engine.sweep(
            graph, axes, mode=mode, targets=targets, on_event=listen, previews=previews, on_cell=tell,
            cancel=cancel,
        )  # fmt: skip
