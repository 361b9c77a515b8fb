"""`nodegraph run --sweep`: one run for every cell, and a contact sheet of the results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from nodegraph.cli.outputs import plain_text
from nodegraph.cli.previews import listener
from nodegraph.cli.progress import Display
from nodegraph.cli.signals import signals
from nodegraph.engine import Engine
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Emit
from nodegraph.execution.files import write_numbered
from nodegraph.execution.results import RunResult
from nodegraph.graph.binding import BoundGraph
from nodegraph.graph.inputs import draw_seed, input_specs
from nodegraph.graph.sweep import Sweep, columns, drawn, label
from nodegraph.runtime import RunRecord


def sweep(
    engine: Engine, graph: BoundGraph, asked: Sweep, output: Path | None, previews: Path | None, *,
    quiet: bool,
) -> None:  # fmt: skip
    """Run every cell, and write the contact sheet to `output` or numbered in the output folder.

    Numbers and text make no sheet: they are printed cell by cell, or written to `output` as a list.
    """
    axes = drawn(asked.axes, input_specs(graph.document, engine.registry), draw_seed)
    asked = replace(asked, axes=tuple(axes))
    targets = [asked.output] if output is not None else None
    with Display(graph, quiet=quiet) as display:
        listen = listener(engine, graph, previews, display.show)
        shown_too = previews is not None
        done = asyncio.run(_run(engine, graph, asked, targets, listen, previews=shown_too, quiet=quiet))
    values = [result.outputs[asked.output] for _, result in done]
    texts = [plain_text(value) for value in values]
    if None not in texts and output is None:
        for (cell, _), text in zip(done, texts, strict=True):
            click.echo(f"{label(cell)} -> {text}")
        return
    record = _record(asked, done[0][1].record)
    if None not in texts:
        shown: object = [
            {"inputs": cell, "value": value} for (cell, _), value in zip(done, values, strict=True)
        ]
    else:
        labels = [label(cell) for cell, _ in done]
        shown = engine.contact_sheet(values, labels, columns(asked.axes, asked.mode))
    click.echo(_write(engine, shown, output, record).absolute())


def _record(asked: Sweep, first: RunRecord) -> RunRecord:
    """What makes the whole sheet again: the document of the first cell, and the axes."""
    swept = {axis.name: list(axis.values) for axis in asked.axes}
    return RunRecord(first.document, {**first.inputs, **swept}, {**first.run, "sweep": asked.to_json()})


def _write(engine: Engine, sheet: object, output: Path | None, record: RunRecord) -> Path:
    if output is not None:
        return engine.export(sheet, output, record)[0]
    exporter = engine.registry.exporter(type(sheet), Path("sweep.png"))
    return write_numbered(engine.outputs, "sweep", ".png", lambda path: exporter.write(sheet, path, record))


async def _run(
    engine: Engine, graph: BoundGraph, asked: Sweep, targets: Sequence[str] | None, listen: Emit, *,
    previews: bool, quiet: bool,
) -> list[tuple[Mapping[str, Any], RunResult]]:  # fmt: skip
    cancel = CancelToken()

    def tell(index: int, count: int, cell: Mapping[str, Any]) -> None:
        if not quiet:
            click.echo(f"{index + 1} of {count}: {label(cell)}", err=True)

    with signals(cancel.cancel):
        return await engine.sweep(
            graph, asked.axes, mode=asked.mode, targets=targets, on_event=listen, previews=previews,
            on_cell=tell, cancel=cancel,
        )  # fmt: skip
