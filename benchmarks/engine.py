"""What the engine itself costs per trivial node, beside what no engine can do without.

Every figure goes through the real `Engine.run` with a listener to all events and the history of runs on:
reading the document, binding, planning, running and keeping the results. The floor is what any engine that
keeps the promises of the format needs: read the document (JSON, checked by its published model), inline its
subgraphs, sort the graph with networkx, and take one Merkle key per node. Times are those of the processor,
and the best of several rounds counts, since other work on a machine only ever adds. "Of floor" is the median
of what the rounds give, each beside its own floor: on a busy machine the best of a short time and the best of
a longer one are not of the same moment. `run` says whether the budgets hold.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.floor import floor
from benchmarks.graphs import SHAPES, Pack, Shape
from benchmarks.memory import peak_bytes
from nodegraph import Engine
from nodegraph.execution.events import Event
from nodegraph.packs import load_packs

LINEAR = 1.5  # cost per node at the largest size over that at 1,000 nodes, or the floor's growth if larger
OF_FLOOR = 1.5  # a first run, in floors
RERUN = 0.030  # seconds for a fully cached run of 1,000 nodes


@dataclass(frozen=True)
class Figures:
    """Microseconds per node of one graph, and its peak memory in bytes per node."""

    shape: str
    nodes: int
    first: float
    cached: float
    changed: float
    planning: float
    floor: float
    of_floor: float
    memory: float


def measure(shape: Shape, count: int, rounds: int) -> Figures:
    """The best of several rounds, each with an engine of its own."""
    with asyncio.Runner() as runner:
        samples = [_round(runner, shape, count) for _ in range(rounds)]
    first, cached, changed, planning, floor_ = (
        min(column) * 1e6 / count for column in zip(*samples, strict=True)
    )
    of_floor = median(sample[0] / sample[-1] for sample in samples)
    memory = peak_bytes(shape.name, count) / count
    return Figures(shape.name, count, first, cached, changed, planning, floor_, of_floor, memory)


def _round(runner: asyncio.Runner, shape: Shape, count: int) -> tuple[float, ...]:
    text, changed = shape.text(count), shape.text(count, last=2)
    log: list[Event] = []
    packs = load_packs(extra=[("bench", Pack())], installed=False)
    with tempfile.TemporaryDirectory() as folder, Engine(folder, packs=packs) as engine:

        def submit(source: str) -> None:
            log.clear()
            runner.run(engine.run(source, on_event=log.append))

        submit(shape.text(2))  # threads are there, as in any process that runs its second workflow
        first = _seconds(lambda: submit(text))
        least = _seconds(lambda: floor(text))  # right after, so that both are of the same moment
        cached = _seconds(lambda: submit(text))
        again = _seconds(lambda: submit(changed))
        planning = _seconds(lambda: engine.plan(text))
    return first, cached, again, planning, least


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def run(*, large: bool) -> bool:  # noqa: ARG001 - the sizes are those of the budget
    """Print the table, and whether the budgets hold."""
    sizes = [1_000, 10_000, 100_000]
    titles = ("first run", "cached", "one changed", "plan", "floor", "of floor", "KB/node")
    print(
        "processor microseconds per trivial node; a first run reads, binds, plans and runs, with all events"
    )
    print(f"{'graph':<8}{'nodes':>9}" + "".join(f"{title:>13}" for title in titles))
    verdicts = [_table(shape, sizes) for shape in SHAPES.values()]
    return all(verdicts)


def _table(shape: Shape, sizes: Sequence[int]) -> bool:
    rows = [measure(shape, size, rounds={1_000: 25, 10_000: 8}.get(size, 4)) for size in sizes]
    for row in rows:
        figures = (row.first, row.cached, row.changed, row.planning, row.floor)
        columns = "".join(f"{figure:>13.1f}" for figure in figures)
        rest = f"{row.of_floor:>12.2f}x{row.memory / 1024:>13.1f}"
        print(f"{row.shape:<8}{row.nodes:>9,}{columns}{rest}")
    growth, of_floor = rows[-1].first / rows[0].first, rows[-1].floor / rows[0].floor
    worst = max(row.of_floor for row in rows)
    rerun = rows[0].cached * rows[0].nodes / 1e6
    print(
        f"{'':<8}{rows[-1].nodes:,} nodes cost {growth:.2f} x as much a node as {rows[0].nodes:,} (the "
        f"floor: {of_floor:.2f} x); at worst {worst:.2f} floors; "
        f"a cached run of {rows[0].nodes:,}: {rerun:.3f} s"
    )
    return growth <= max(LINEAR, of_floor) and worst <= OF_FLOOR and rerun <= RERUN
