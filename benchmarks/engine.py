"""What the engine itself costs per trivial node, beside what no engine can do without.

Every figure goes through the real `Engine.run` with a listener to all events: reading the document, binding,
planning, running and keeping the results. The floor is what any engine needs: parse the JSON, sort the graph
with networkx, and take one hash per node. Times are those of the processor, and the best of several rounds
counts, since other work on a machine only ever adds. `run` says whether the cost is linear.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from nodegraph import Engine, hookimpl, node
from nodegraph.execution.events import Event
from nodegraph.packs import load_packs

LINEAR = 1.5  # cost per node at the largest size, at most this many times that at 1,000 nodes
Links = Mapping[str, str]


@node("bench.add", lane="inline")
def add(a: int = 0, b: int = 0, c: int = 1) -> int:
    """Add: the most trivial node there is."""
    return a + b + c


class Pack:
    """The one node of this benchmark."""

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return [add]


@dataclass(frozen=True)
class Figures:
    """Microseconds per node of one graph."""

    shape: str
    nodes: int
    first: float
    cached: float
    changed: float
    planning: float
    floor: float


def chain(index: int) -> Links:
    """Each node reads the one before it."""
    return {"a": f"n{index - 1}"} if index else {}


def wide(index: int) -> Links:
    """All nodes read the first one."""
    return {"a": "n0"} if index else {}


def braid(index: int) -> Links:
    """Each node reads the one before it and one further back."""
    return {"a": f"n{index - 1}", "b": f"n{index // 2}"} if index else {}


def document(links: Callable[[int], Links], count: int, last: int = 1) -> str:
    """A workflow of `count` nodes as JSON; `last` is the number in its last node."""
    nodes: dict[str, Any] = {}
    for index in range(count):
        inputs: dict[str, Any] = {name: {"from": source} for name, source in links(index).items()}
        inputs["c"] = index if index < count - 1 else count + last
        nodes[f"n{index}"] = {"type": "bench.add", "inputs": inputs}
    shown = {
        f"o{index}": {"from": f"n{index}"} for index in range(count) if links is wide or index == count - 1
    }
    return json.dumps({"nodegraph": 1, "nodes": nodes, "outputs": shown})


def measure(links: Callable[[int], Links], count: int, rounds: int) -> Figures:
    """The best of several rounds, each with an engine of its own."""
    text, changed = document(links, count), document(links, count, last=2)
    samples = [_round(text, changed) for _ in range(rounds)]
    best = [min(column) * 1e6 / count for column in zip(*samples, strict=True)]
    return Figures(links.__name__, count, *best)


def _round(text: str, changed: str) -> tuple[float, ...]:
    log: list[Event] = []
    packs = load_packs(extra=[("bench", Pack())], installed=False)
    with tempfile.TemporaryDirectory() as folder, Engine(folder, packs=packs) as engine:

        def submit(source: str) -> None:
            log.clear()
            asyncio.run(engine.run(source, on_event=log.append))

        first = _seconds(lambda: submit(text))
        cached = _seconds(lambda: submit(text))
        again = _seconds(lambda: submit(changed))
        planning = _seconds(lambda: engine.plan(text))
    return first, cached, again, planning, _seconds(lambda: floor(text))


def floor(text: str) -> None:
    """What no engine can do without: parse, sort, and one hash per node."""
    nodes = json.loads(text)["nodes"]
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for name, entry in nodes.items():
        graph.add_edges_from(
            (value["from"], name) for value in entry["inputs"].values() if isinstance(value, dict)
        )
    for name in nx.topological_sort(graph):
        hashlib.blake2b(repr(nodes[name]).encode(), digest_size=20).hexdigest()


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def run(*, large: bool) -> bool:
    """Print the table, and whether the cost is linear."""
    sizes = [100, 1_000, 10_000, *([100_000] if large else [])]
    titles = ("first run", "cached", "one changed", "plan", "floor", "ratio")
    print(
        "processor microseconds per trivial node; a first run reads, binds, plans and runs, with all events"
    )
    print(f"{'graph':<8}{'nodes':>9}" + "".join(f"{title:>13}" for title in titles))
    verdicts = [_table(links, sizes) for links in (chain, wide, braid)]
    return all(verdicts)


def _table(links: Callable[[int], Links], sizes: Sequence[int]) -> bool:
    rows = [measure(links, size, rounds=3 if size > 10_000 else 5) for size in sizes]
    for row in rows:
        figures = (row.first, row.cached, row.changed, row.planning, row.floor)
        columns = "".join(f"{figure:>13.1f}" for figure in figures)
        print(f"{row.shape:<8}{row.nodes:>9,}{columns}{row.first / row.floor:>12.1f}x")
    growth, of_floor = rows[-1].first / rows[1].first, rows[-1].floor / rows[1].floor
    linear = growth <= LINEAR
    print(
        f"{'':<8}{'linear' if linear else 'NOT linear'}: a node costs {growth:.2f} x as much at "
        f"{rows[-1].nodes:,} as at {rows[1].nodes:,} nodes (the floor: {of_floor:.2f} x)"
    )
    return linear
