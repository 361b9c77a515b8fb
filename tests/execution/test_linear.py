"""The work per node does not grow with the graph: counted in calls, which no other process disturbs."""

from __future__ import annotations

import asyncio
import cProfile
from pathlib import Path

import pytest

from benchmarks.graphs import SHAPES, Pack
from nodegraph import Engine
from nodegraph.execution import events
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.collector import Hold
from nodegraph.packs import load_packs

SMALL, LARGE = 500, 4_000


@pytest.mark.parametrize("shape", SHAPES)
def test_a_node_more_takes_as_many_calls_in_a_large_graph_as_in_a_small_one(
    shape: str, tmp_path: Path
) -> None:
    """Reading, binding, planning and running: a step per node over its ancestors or readers would show."""
    small, large = (_calls(shape, count, tmp_path / str(count)) for count in (SMALL, LARGE))
    assert small > 20 * SMALL  # the counter sees what nodes cost
    assert (large - small) / (LARGE - SMALL) <= 1.01 * small / SMALL


def _calls(shape: str, count: int, folder: Path) -> int:
    """The function calls of a first run: of its preparation (in a thread of its own), and of the rest."""
    packs = load_packs(extra=[("bench", Pack())], installed=False)
    profile = cProfile.Profile()
    log: list[events.Event] = []
    with Engine(folder, packs=packs) as engine, asyncio.Runner() as runner, Hold() as hold:
        with profile:
            graph, *_ = engine._prepare(SHAPES[shape].text(count), {}, None, log.append, CancelToken(), hold)
        with profile:
            runner.run(engine.run(graph, on_event=log.append))
    assert isinstance(log[-1], events.RunFinished)
    return sum(entry.callcount for entry in profile.getstats())
