"""Iterations of `logic.for_each` overlap, a few at a time; proved by barriers and events, never by time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Engine, hookimpl, node
from nodegraph.errors import CancelledError, RunFailedError
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Event, NodeFailed, NodeFinished, NodeProgress, NodeStarted
from nodegraph.execution.overlap import AT_ONCE
from tests.nodes.logic_flows import body, flow, logic_engine
from tests.toy import Toy


class Meeting:
    """A pack of async nodes that wait for each other."""

    def __init__(self) -> None:
        self.active = 0
        self.most = 0
        self.calls = 0
        self.finished = [asyncio.Event() for _ in range(5)]
        self.full = asyncio.Event()
        self.failed = asyncio.Event()

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        @node("meet.crowd")
        async def crowd(number: int) -> int:
            """Wait until as many are here as ever will be."""
            self.active += 1
            self.most = max(self.most, self.active)
            if self.active == AT_ONCE:
                self.full.set()
            await self.full.wait()
            for _ in range(50):  # everybody who could come has come by then
                await asyncio.sleep(0)
            self.active -= 1
            return number

        @node("meet.after_the_next")
        async def after_the_next(number: int) -> int:
            """Finish after the one with the next number."""
            await self.finished[number + 1].wait()
            self.finished[number].set()
            return number

        @node("meet.after_failure")
        async def after_failure(number: int = 0) -> int:
            """Finish when the test has seen a node fail."""
            await self.failed.wait()
            return number

        @node("meet.alone")
        async def alone(number: int) -> int:
            """Count who is here at once, and how often it ran."""
            self.calls += 1
            self.active += 1
            self.most = max(self.most, self.active)
            await asyncio.sleep(0)
            self.active -= 1
            return number

        return [crowd, after_the_next, after_failure, alone]


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


@pytest.fixture
def logic(toy: Toy, meeting: Meeting, tmp_path: Path) -> Iterator[Engine]:
    with logic_engine(toy, tmp_path / "data", ("meeting", meeting)) as made:
        yield made


def each(items: Any, inside: dict[str, Any], **nodes: Any) -> dict[str, Any]:
    return flow({**nodes, "loop": ("logic.for_each", {"body": "#body", "items": items})}, "loop", body=inside)


def single(type_: str, input_: str = "number", result: str = "int", **inputs: Any) -> dict[str, Any]:
    """A body of one node that takes the item."""
    return body(result, "one", {"one": (type_, {input_: {"input": "item"}, **inputs})}, item=result)


def run(engine: Engine, document: dict[str, Any], **options: Any) -> Any:
    return engine.run_sync(document, **options).outputs["result"]


@pytest.mark.parametrize(("lane", "count"), [("cpu", 2), ("io", 4)])
def test_iterations_overlap(logic: Engine, toy: Toy, lane: str, count: int) -> None:
    toy.gates["gate"] = threading.Barrier(count)  # nobody passes before all are there
    inside = single(f"toy.meet_{lane}", gate="gate", result="float")
    assert run(logic, each(list(range(count)), inside)) == [float(item) for item in range(count)]


def test_loops_inside_loops_overlap(logic: Engine, toy: Toy) -> None:
    toy.gates["gate"] = threading.Barrier(4)
    inner = body(
        "float", "met", {
            "sum": ("toy.add", {"a": {"input": "item"}, "b": {"input": "outer"}}),
            "met": ("toy.meet_io", {"gate": "gate", "number": "@sum"}),
        },
        item="float", outer="float",
    )  # fmt: skip
    lists = {"outer": {"input": "item"}}
    loop = ("logic.for_each", {"body": "#inner", "items": [1, 2], "mode": "broadcast", "lists": lists})
    outer = body({"type": "list", "item": {"type": "float"}}, "loop", {"loop": loop}, item="float")
    document = flow(
        {"top": ("logic.for_each", {"body": "#outer", "items": [10, 20]})}, "top", inner=inner, outer=outer
    )
    assert run(logic, document) == [[11.0, 12.0], [21.0, 22.0]]


def test_no_more_iterations_overlap_than_the_bound(logic: Engine, meeting: Meeting) -> None:
    items = list(range(3 * AT_ONCE))
    assert run(logic, each(items, single("meet.crowd"))) == items
    assert meeting.most == AT_ONCE


def test_results_are_in_order_whoever_is_first(logic: Engine, meeting: Meeting) -> None:
    meeting.finished[4].set()
    seen: list[Event] = []
    assert run(logic, each([0, 1, 2, 3], single("meet.after_the_next")), on_event=seen.append) == [0, 1, 2, 3]
    finished = [event.node for event in seen if isinstance(event, NodeFinished)]
    assert finished == [*(f"loop/{step}/one" for step in (3, 2, 1, 0)), "loop"]
    progress = [(event.done, event.total) for event in seen if isinstance(event, NodeProgress)]
    assert progress == [(done, 4) for done in (1, 2, 3, 4)]


def test_an_item_that_comes_twice_is_computed_once(logic: Engine, meeting: Meeting) -> None:
    assert run(logic, each([5] * 6, single("meet.alone"))) == [5] * 6
    assert meeting.calls == 1


def test_cancelling_ends_every_iteration(logic: Engine) -> None:
    cancel, started, seen = CancelToken(), set[str](), list[NodeFinished]()

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished):
            seen.append(event)
        if isinstance(event, NodeStarted) and event.node.startswith("loop/"):
            started.add(event.node)
            if len(started) == 3:
                cancel.cancel()

    with pytest.raises(CancelledError):
        run(logic, each([1, 2, 3], single("toy.forever", result="float")), on_event=listen, cancel=cancel)
    assert {(event.node, event.outcome) for event in seen} == {
        *((f"loop/{step}/one", "cancelled") for step in range(3)), ("loop", "cancelled")
    }  # fmt: skip


FAILS_AT_ONE = body(
    "float", "either", {
        "forever": ("toy.forever", {}),
        "fail": ("toy.fail", {"message": "no luck"}),
        "either": (
            "logic.switch",
            {"index": {"input": "item"}, "branches": [{"from": "forever"}, {"from": "fail"}]},
        ),
    },
    item="int",
)  # fmt: skip


@pytest.mark.parametrize("items", [[0, 1, 0], [0, 0, 0, 1, 0, 0, 0]])
def test_the_first_failure_stops_the_others_and_nothing_else(
    logic: Engine, meeting: Meeting, items: list[int]
) -> None:
    outcomes: dict[str, str] = {}

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished):
            outcomes[event.node] = event.outcome
        if isinstance(event, NodeFailed) and event.node == "loop":
            meeting.failed.set()

    document = each(items, FAILS_AT_ONE, other=("meet.after_failure", {}))
    document["outputs"]["other"] = {"from": "other"}
    with pytest.raises(RunFailedError) as caught:
        run(logic, document, on_event=listen)
    (failure,) = caught.value.failures
    assert failure.problem.node == f"loop/{items.index(1)}/fail"
    assert "no luck" in failure.describe()
    assert outcomes["other"] == "ran"
    assert outcomes["loop"] == "failed"
    forever = {outcome for name, outcome in outcomes.items() if name.endswith("/forever")}
    assert forever == {"cancelled"}
    assert sum(name.endswith("/either") for name in outcomes) <= AT_ONCE


def test_a_failure_deep_inside_stops_every_loop_around_it(logic: Engine) -> None:
    numbers = {"type": "list", "item": {"type": "float"}}
    inner = ("logic.for_each", {"body": "#fails", "items": [0, 1]})
    middle = body(numbers, "loop", {"loop": inner}, item="int")
    document = flow(
        {"top": ("logic.for_each", {"body": "#middle", "items": [7, 8]})}, "top",
        fails=FAILS_AT_ONE, middle=middle,
    )  # fmt: skip
    with pytest.raises(RunFailedError) as caught:
        run(logic, document)
    (failure,) = caught.value.failures
    assert failure.problem.node in {"top/0/loop/1/fail", "top/1/loop/1/fail"}


@pytest.mark.parametrize("leaf", ["toy.meet_device", "work.double"])
def test_three_loops_deep_on_a_lane_of_one_slot(logic: Engine, toy: Toy, leaf: str) -> None:
    toy.gates["gate"] = threading.Barrier(1)
    more = {"gate": "gate"} if leaf == "toy.meet_device" else {}
    sums = {
        "first": ("toy.add", {"a": {"input": "item"}, "b": {"input": "x"}}),
        "second": ("toy.add", {"a": "@first", "b": {"input": "y"}}),
        "leaf": (leaf, {"number": "@second", **more}),
    }
    floats: dict[str, Any] = {"type": "list", "item": {"type": "float"}}
    lists = {"x": {"input": "x"}, "y": {"input": "item"}}
    inner = ("logic.for_each", {"body": "#one", "items": [1, 2, 3], "mode": "broadcast", "lists": lists})
    middle = (
        "logic.for_each",
        {"body": "#two", "items": [10, 20, 30], "mode": "broadcast", "lists": {"x": {"input": "item"}}},
    )
    document = flow(
        {"top": ("logic.for_each", {"body": "#three", "items": [100, 200, 300]})}, "top",
        one=body("float", "leaf", sums, item="float", x="float", y="float"),
        two=body(floats, "loop", {"loop": inner}, item="float", x="float"),
        three=body({"type": "list", "item": floats}, "loop", {"loop": middle}, item="float"),
    )  # fmt: skip
    times = 2 if leaf == "work.double" else 1
    assert run(logic, document) == [
        [[times * (x + y + z) for z in (1.0, 2.0, 3.0)] for y in (10, 20, 30)] for x in (100, 200, 300)
    ]


def test_what_saves_runs_in_order(logic: Engine, meeting: Meeting) -> None:
    nodes = {
        "one": ("meet.alone", {"number": {"input": "item"}}),
        "save": ("toy.save", {"number": "@one"}),
    }
    result = logic.run_sync(each([5, 3, 9, 1], body("int", "one", nodes, item="int")))
    assert [float(artifact.path.read_text()) for artifact in result.artifacts] == [5, 3, 9, 1]
    names = [artifact.path.name for artifact in result.artifacts]
    assert names == sorted(names)
    assert meeting.most == 1


def test_a_loop_over_nothing(logic: Engine) -> None:
    assert run(logic, each([], single("meet.alone"))) == []
