"""A key that is being made is waited for: two runs make what they share once, and never wait for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nodegraph.engine import Engine
from nodegraph.errors import CancelledError, RunFailedError
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.inflight import Flight, Flights
from nodegraph.execution.results import RunResult
from tests.execution.conftest import NewEngine
from tests.execution.work import Work
from tests.toy import shown, workflow

Outputs = Mapping[str, Any]


def flow(last: float) -> dict[str, Any]:
    """A shared node behind a shared number, and a last node of one's own."""
    nodes = {
        "number": ("toy.number", {"value": 4}),
        "shared": ("work.hold", {"number": "@number"}),
        "own": ("toy.add_on_cpu", {"a": "@shared", "b": last}),
    }
    return workflow(nodes, **shown("own"))


def outcomes(result: RunResult) -> Mapping[str, str]:
    return {id_: finished.outcome for id_, finished in result.nodes.items()}


class Gate:
    """What a node does meanwhile: it says that it is inside, and stays until it may leave."""

    def __init__(self) -> None:
        self.inside, self.leave = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.inside.set()
        assert self.leave.wait(30)


class NotedFlights(Flights):
    """Says when somebody waits for what another one makes."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = threading.Event()

    def claim(self, key: str, kept: Callable[[str], Outputs | None]) -> Flight | None:
        flight = super().claim(key, kept)
        if flight is not None:
            self.waited.set()
        return flight


class Two:
    """Two runs: the first is inside the shared node when the second begins to wait for it."""

    def __init__(self, engine: Engine, gate: Gate) -> None:
        self.engine, self.gate = engine, gate
        self.cancel_first, self.cancel_second = CancelToken(), CancelToken()

    async def start(self) -> tuple[asyncio.Task[RunResult], asyncio.Task[RunResult]]:
        flights = self.engine._flights = NotedFlights()
        first = asyncio.create_task(self.engine.run(flow(1), cancel=self.cancel_first))
        assert await asyncio.to_thread(self.gate.inside.wait, 30)
        second = asyncio.create_task(self.engine.run(flow(2), cancel=self.cancel_second))
        assert await asyncio.to_thread(flights.waited.wait, 30)
        return first, second


@pytest.fixture
def gate(work: Work) -> Gate:
    work.meanwhile = Gate()
    return work.meanwhile


@pytest.fixture
def two(new_engine: NewEngine, gate: Gate) -> Two:
    return Two(new_engine(), gate)


def test_two_runs_that_share_a_prefix_run_it_once(two: Two, work: Work) -> None:
    async def both() -> list[RunResult]:
        first, second = await two.start()
        two.gate.leave.set()
        return [await first, await second]

    first, second = asyncio.run(both())
    assert (first.outputs, second.outputs) == ({"result": 5.0}, {"result": 6.0})
    assert outcomes(first)["shared"] == "ran"
    assert outcomes(second)["shared"] == "shared"
    assert work.calls["hold"] == 1


def test_runs_on_other_threads_share_as_well(new_engine: NewEngine, work: Work) -> None:
    engine = new_engine()
    together = threading.Barrier(3)

    def run(last: float) -> RunResult:
        together.wait(30)
        return engine.run_sync(flow(last))

    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(run, [1, 2, 3]))
    assert [result.outputs["result"] for result in results] == [5.0, 6.0, 7.0]
    assert work.calls["hold"] == 1
    assert sorted(outcomes(result)["shared"] for result in results).count("ran") == 1


def test_what_was_made_since_the_plan_is_found(new_engine: NewEngine, work: Work) -> None:
    """The plan says "run"; while its first node runs, another run makes the second."""
    engine = new_engine()
    other = workflow({"made": ("work.double", {"number": 9})}, **shown("made"))
    nodes = {"poke": ("work.poke", {}), "late": ("work.double", {"number": 9})}

    def meanwhile() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(engine.run_sync, other).result(30)

    work.meanwhile = meanwhile
    result = engine.run_sync(workflow(nodes), targets=["poke", "late"])
    assert result.plan.entries["late"].action == "run"
    assert outcomes(result) == {"poke": "ran", "late": "memory"}
    assert work.calls["double"] == 1


def test_if_the_first_fails_the_second_makes_it(two: Two, work: Work) -> None:
    gate = two.gate

    def fail_once() -> None:
        gate()
        if work.calls["hold"] == 1:
            raise ValueError("no luck")

    work.meanwhile = fail_once

    async def both() -> RunResult:
        first, second = await two.start()
        gate.leave.set()
        with pytest.raises(RunFailedError, match="no luck"):
            await first
        return await second

    assert outcomes(asyncio.run(both()))["shared"] == "ran"
    assert work.calls["hold"] == 2


def test_if_the_first_is_cancelled_the_second_makes_it(two: Two, work: Work) -> None:
    async def both() -> RunResult:
        first, second = await two.start()
        two.cancel_first.cancel()
        two.gate.leave.set()
        with pytest.raises(CancelledError):
            await first
        return await second

    assert outcomes(asyncio.run(both()))["shared"] == "ran"
    assert work.calls["hold"] == 2


def test_if_the_first_is_abandoned_the_second_makes_it(two: Two) -> None:
    async def both() -> RunResult:
        first, second = await two.start()
        first.cancel()  # as when the caller's own task ends
        two.gate.leave.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(both()).outputs == {"result": 6.0}


def test_who_waits_may_be_cancelled_and_disturbs_nobody(two: Two, work: Work) -> None:
    async def both() -> RunResult:
        first, second = await two.start()
        two.cancel_second.cancel()
        with pytest.raises(CancelledError):
            await second
        two.gate.leave.set()
        return await first

    assert asyncio.run(both()).outputs == {"result": 5.0}
    assert work.calls["hold"] == 1


def test_equal_nodes_of_one_run_are_made_once(new_engine: NewEngine, work: Work) -> None:
    nodes = {
        **{f"n{index}": ("work.hold", {"number": 2}) for index in range(3)},
        **{f"later{index}": ("work.hold_later", {"number": 2}) for index in range(3)},
        "sum": ("toy.total", {"a": "@n0", "b": "@n1", "c": "@n2"}),
        "later": ("toy.total", {"a": "@later0", "b": "@later1", "c": "@later2"}),
        "all": ("toy.total", {"a": "@sum", "b": "@later"}),
    }
    result = new_engine().run_sync(workflow(nodes, **shown("all")))
    assert result.outputs == {"result": 12.0}
    assert (work.calls["hold"], work.calls["hold_later"]) == (1, 1)


def test_volatile_nodes_and_effects_are_never_shared(new_engine: NewEngine, work: Work) -> None:
    nodes = {
        "a": ("work.dice", {}),
        "b": ("work.dice", {}),
        "save_a": ("toy.save", {"number": 1, "prefix": "x"}),
        "save_b": ("toy.save", {"number": 1, "prefix": "x"}),
        "sum": ("toy.total", {"a": "@a", "b": "@b"}),
    }
    result = new_engine().run_sync(workflow(nodes, **shown("sum")))
    assert work.calls["dice"] == 2
    assert len(result.artifacts) == 2


def test_flights_land_once_and_are_claimed_again() -> None:
    flights = Flights()
    kept: dict[str, Any] = {}
    assert flights.claim("k", kept.get) is None
    waiting = flights.claim("k", kept.get)
    assert waiting is not None
    assert not waiting.cancel(), "one who waits cannot end it for the others"
    flights.land("k", None)
    assert waiting.result(0) is None
    assert flights.claim("k", kept.get) is None
    kept["k"] = {"value": 1}
    flights.land("k", kept["k"])
    found = flights.claim("k", kept.get)
    assert found is not None
    assert found.result(0) == {"value": 1}
