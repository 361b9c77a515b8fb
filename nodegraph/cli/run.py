"""`nodegraph run`: one workflow in this process, with progress, and the result's path last."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from nodegraph.cli.progress import Display
from nodegraph.cli.report import show_plan, show_times
from nodegraph.cli.signals import signals
from nodegraph.cli.sources import find_workflow, input_values, load_workflow
from nodegraph.cli.sweep import sweep
from nodegraph.engine import Engine, RunResult
from nodegraph.errors import InputError
from nodegraph.execution.cancel import CancelToken
from nodegraph.graph.binding import BoundGraph
from nodegraph.graph.inputs import input_specs
from nodegraph.graph.sweep import Mode, parse_axis
from nodegraph.sockets import ValueType, is_generic


def run_workflow(
    workflow: str, *, pairs: Sequence[str], extra: Sequence[str], output: Path | None,
    output_name: str | None, device: str, dtype: str, disk_cache: float, sweeps: Sequence[str],
    sweep_mode: Mode, debug: bool, dry_run: bool, quiet: bool, data_dir: Path | None,
) -> None:  # fmt: skip
    """Run a workflow and print where its result is."""
    start = time.perf_counter()
    workflow, extra = find_workflow(workflow, extra)
    if not math.isfinite(disk_cache):
        raise InputError("the disk cache needs a limit", expected="a number of GiB", found=str(disk_cache))
    with Engine(
        data_dir, device=device, dtype=dtype, disk_cache_bytes=int(disk_cache * 2**30), debug=debug
    ) as engine:
        document = load_workflow(engine, workflow)
        graph = engine.bind(document, **input_values(engine, document, pairs, extra))
        axes = [parse_axis(text, input_specs(document, engine.registry)) for text in sweeps]
        target = _target(graph, output_name) if output is not None or axes else None
        targets = _targets(graph, target if output is not None else None)
        if output is not None and target is not None:
            _check_output(engine, graph, target, output)
        if dry_run:
            show_plan(engine.plan(graph, targets=targets))
            return
        before_import = time.perf_counter()
        engine.warm_up(graph)
        imported = time.perf_counter() - before_import
        if axes and target is not None:
            sheet = sweep(engine, graph, axes, sweep_mode, target, output, quiet=quiet)
            click.echo(sheet.absolute())
            return
        with Display(graph, quiet=quiet) as display:
            result = asyncio.run(_run(engine, graph, targets, display))
        paths = [artifact.path for artifact in result.artifacts]
        if output is not None and target is not None:
            paths = engine.export(result.outputs[target], output, result.record)
        if not quiet:
            show_times(result, imported, time.perf_counter() - start)
        for path in paths:
            click.echo(path.absolute())


def _target(graph: BoundGraph, name: str | None) -> str:
    """The named output that `-o` writes. InputError where it is not clear which."""
    names = list(graph.outputs)
    if name is None and len(names) == 1:
        return names[0]
    if name in names:
        return str(name)
    if not names:
        raise InputError(
            "the workflow has no named output to write", code="unknown_output",
            remedy='Add one: "outputs": {"image": {"from": "node"}}.',
        )  # fmt: skip
    raise InputError(
        f"there is no output '{name}'" if name else "the workflow has several outputs", code="unknown_output",
        remedy=f"Choose with --name: {', '.join(names)}.",
    )  # fmt: skip


def _targets(graph: BoundGraph, target: str | None) -> Sequence[str] | None:
    """What to run for: what `-o` writes, else the nodes that save or show, else the named outputs."""
    if target is not None:
        return [target]
    effects = [id_ for id_, node in graph.nodes.items() if node.type.output]
    return effects or None


def _check_output(engine: Engine, graph: BoundGraph, target: str, output: Path) -> None:
    """Fail before minutes of sampling, not after."""
    node, port = graph.outputs[target]
    type_ = graph.nodes[node].type.outputs[port].type
    if not is_generic(type_):  # what a branch gives is only known when it is there, and is checked then
        engine.registry.exporter(type_.cls if isinstance(type_, ValueType) else object, output)
    parent = output.absolute().parent
    reason = ""
    if output.is_dir():
        reason = "it is a folder"
    elif not parent.is_dir():
        reason = f"there is no folder '{parent}'"
    elif not os.access(parent, os.W_OK):
        reason = f"the folder '{parent}' may not be written"
    if reason:
        raise InputError(
            f"'{output}' cannot be written: {reason}", code="unwritable", remedy="Choose another place."
        )


async def _run(
    engine: Engine, graph: BoundGraph, targets: Sequence[str] | None, display: Display
) -> RunResult:
    cancel = CancelToken()
    with signals(cancel.cancel):
        return await engine.run(graph, targets=targets, on_event=display.show, cancel=cancel)
