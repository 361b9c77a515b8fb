"""`nodegraph run`: one workflow in this process, with progress, and the result's path last."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Container, Sequence
from pathlib import Path

import click

from nodegraph.cli.outputs import check_output, plain_outputs, show_outputs
from nodegraph.cli.previews import listener
from nodegraph.cli.progress import Display
from nodegraph.cli.report import show_memory, show_plan, show_times
from nodegraph.cli.signals import signals
from nodegraph.cli.sources import find_workflow, input_values, load_workflow, stored_sweep
from nodegraph.cli.sweep import sweep
from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Emit
from nodegraph.execution.plan import has_effect
from nodegraph.execution.results import RunResult
from nodegraph.graph.binding import BoundGraph
from nodegraph.graph.inputs import input_specs
from nodegraph.graph.sweep import Mode, Sweep, parse_axis


def run_workflow(
    workflow: str, *, pairs: Sequence[str], extra: Sequence[str], output: Path | None,
    output_name: str | None, device: str, dtype: str, disk_cache: float, sweeps: Sequence[str],
    sweep_mode: Mode, previews: Path | None, debug: bool, model_memory: float | None,
    accelerate: str, explain_memory: bool, dry_run: bool, quiet: bool, data_dir: Path | None,
) -> None:  # fmt: skip
    """Run a workflow and print where its result is."""
    start = time.perf_counter()
    workflow, extra = find_workflow(workflow, extra)
    if not math.isfinite(disk_cache):
        raise InputError("the disk cache needs a limit", expected="a number of GiB", found=str(disk_cache))
    with Engine(
        data_dir,
        device=device,
        dtype=dtype,
        disk_cache_bytes=int(disk_cache * 2**30),
        debug=debug,
        model_bytes=None if model_memory is None else int(model_memory * 2**30),
        accelerate=accelerate,
    ) as engine:
        document = load_workflow(engine, workflow)
        given = input_values(engine, document, pairs, extra)
        graph = engine.bind(document, **given)
        cells = _sweep_asked(engine, graph, stored_sweep(workflow), given, sweeps, sweep_mode, output_name)
        target = cells.output if cells else _target(graph, output_name) if output is not None else None
        targets = _targets(graph, target if output is not None else None)
        if output is not None and target is not None:
            check_output(engine, graph, target, output, swept=cells is not None)
        if dry_run:
            show_plan(engine.plan(graph, targets=targets))
            return
        for note in () if quiet else graph.notes:
            click.echo(f"note: {note}", err=True)
        before_import = time.perf_counter()
        engine.warm_up(graph)
        imported = time.perf_counter() - before_import
        if cells is not None:
            sweep(engine, graph, cells, output, previews, quiet=quiet)
            return
        with Display(graph, quiet=quiet) as display:
            listen = listener(engine, graph, previews, display.show)
            result = asyncio.run(_run(engine, graph, targets, listen, previews=previews is not None))
        if explain_memory:
            show_memory(engine.resources.explain())
        if not quiet:
            show_times(result, imported, time.perf_counter() - start)
        _show_result(engine, result, target, output, quiet=quiet)


def _sweep_asked(
    engine: Engine, graph: BoundGraph, stored: Sweep | None, given: Container[str], sweeps: Sequence[str],
    mode: Mode, output_name: str | None,
) -> Sweep | None:  # fmt: skip
    """The sweep that the options ask for, or that of a contact sheet which is run again.

    Of that one the axes stay whose inputs are not given a value now.
    """
    if sweeps:
        specs = input_specs(graph.document, engine.registry)
        axes = tuple(parse_axis(text, specs) for text in sweeps)
        return Sweep(axes, mode, _target(graph, output_name))
    axes = tuple(axis for axis in stored.axes if axis.name not in given) if stored is not None else ()
    if stored is None or not axes:
        return None
    return Sweep(axes, stored.mode, _target(graph, output_name or stored.output))


def _show_result(
    engine: Engine, result: RunResult, target: str | None, output: Path | None, *, quiet: bool
) -> None:
    """Print the named outputs or write the wanted one; the paths of files come last."""
    paths = [artifact.path for artifact in result.artifacts]
    if output is not None and target is not None:
        paths = engine.export(result.outputs[target], output, result.record)
    else:
        show_outputs(engine, result.outputs, quiet=quiet)
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
    """What to run for: what `-o` writes, else the nodes that save or show, and what is printed.

    Outputs that are neither are not made once more where a node saves them: without such nodes they are all
    there is to run for.
    """
    if target is not None:
        return [target]
    effects = [id_ for id_, node in graph.nodes.items() if has_effect(graph, node)]
    return [*effects, *plain_outputs(graph)] if effects else None


async def _run(
    engine: Engine, graph: BoundGraph, targets: Sequence[str] | None, listen: Emit, *, previews: bool
) -> RunResult:
    cancel = CancelToken()
    with signals(cancel.cancel):
        return await engine.run(graph, targets=targets, on_event=listen, previews=previews, cancel=cancel)
