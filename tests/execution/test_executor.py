"""The executor, by events and counters: order, lanes, release, results. Nothing here measures time."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import threading
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Context, Image, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.errors import DeclarationError, InputError, RunFailedError
from nodegraph.execution import events
from nodegraph.execution.context import MAX_PREVIEWS, is_drawn
from tests.conftest import MakeEngine
from tests.execution.dags import Rows, document, evaluate, rows
from tests.toy import Box, Toy, shown, toy_packs, workflow

NodeEvent = events.NodeStarted | events.NodeProgress | events.NodeSaved | events.NodeFinished


def told(engine: Engine, flow: Any, **options: Any) -> list[events.Event]:
    """The events of a run."""
    log: list[events.Event] = []
    engine.run_sync(flow, on_event=log.append, **options)
    return log


def positions(log: list[events.Event], kind: type[NodeEvent]) -> dict[str, int]:
    """Where the (last) event of a kind stands for each node."""
    return {event.node: index for index, event in enumerate(log) if isinstance(event, kind)}


@given(rows())
def test_every_node_runs_once_after_its_inputs_and_gives_what_a_plain_evaluator_gives(
    make_engine: MakeEngine, rows: Rows
) -> None:
    engine = make_engine()
    log: list[events.Event] = []
    result = engine.run_sync(document(rows), on_event=log.append)
    assert result.outputs == evaluate(rows)
    started, finished = positions(log, events.NodeStarted), positions(log, events.NodeFinished)
    assert len(log) == 2 + 2 * len(started)
    for index, row in enumerate(rows):
        for kind, value in row.values():
            assert kind == "number" or finished[f"n{value}"] < started[f"n{index}"]
    assert engine.run_sync(document(rows)).outputs == evaluate(rows)


@pytest.mark.parametrize("type_", ["toy.add", "toy.add_on_cpu", "toy.add_later"])
def test_a_node_of_any_lane_gives_its_result(engine: Engine, toy: Toy, type_: str) -> None:
    flow = workflow({"a": (type_, {"a": 1}), "b": (type_, {"a": "@a", "b": 5})}, **shown("b"))
    assert engine.run_sync(flow).outputs == {"result": 7.0}
    assert engine.run_sync(flow).outputs == {"result": 7.0}
    assert toy.calls[type_.removeprefix("toy.")] == 2


def test_the_events_of_a_small_run(engine: Engine) -> None:
    flow = workflow({"n": ("toy.number", {}), "s": ("toy.steps_inline", {"count": 2})}, outputs={
        "n": {"from": "n"}, "s": {"from": "s"}})  # fmt: skip
    log = told(engine, flow)
    assert [type(event).__name__ for event in log] == [
        "RunStarted", "NodeStarted", "NodeFinished", "NodeStarted", "NodeProgress", "NodeProgress",
        "NodeFinished", "RunFinished",
    ]  # fmt: skip
    assert log[0] == events.RunStarted(to_run=2, reused=0)
    assert log[4:6] == [events.NodeProgress("s", 1, 2), events.NodeProgress("s", 2, 2)]
    assert log[-1] == events.RunFinished("done")
    assert [type(event).__name__ for event in told(engine, flow)] == [
        "RunStarted", "NodeFinished", "NodeFinished", "RunFinished",
    ]  # fmt: skip


def test_events_come_in_the_loops_own_thread_and_in_order(engine: Engine) -> None:
    threads: set[int] = set()
    log: list[events.Event] = []

    def listen(event: events.Event) -> None:
        threads.add(threading.get_ident())
        log.append(event)

    flow = workflow({"s": ("toy.steps", {"count": 50}), "save": ("toy.save", {"number": "@s"})})
    engine.run_sync(flow, on_event=listen)
    assert threads == {threading.get_ident()}
    done = [event.done for event in log if isinstance(event, events.NodeProgress)]
    assert done == list(range(1, 51))
    finished = positions(log, events.NodeFinished)
    assert positions(log, events.NodeProgress)["s"] < finished["s"]
    assert positions(log, events.NodeSaved)["save"] < finished["save"]
    assert isinstance(log[-1], events.RunFinished)


def test_a_file_that_lies_there_already_is_told_like_a_new_one(engine: Engine) -> None:
    flow = workflow({"n": ("toy.number", {"value": 2}), "save": ("toy.save", {"number": "@n"})})
    first, again = (told(engine, flow) for _ in range(2))
    kinds = (events.NodeSaved, events.NodeFinished)
    saved = [event for event in first if isinstance(event, events.NodeSaved)]
    assert len(saved) == 1
    assert [event for event in again if isinstance(event, kinds) and event.node == "save"] == [
        *saved, events.NodeFinished("save", "saved"),
    ]  # fmt: skip


def test_a_step_is_drawn_only_where_somebody_watches(toy: Toy, tmp_path: Path) -> None:
    drawn: list[str] = []

    def draw() -> Image:
        drawn.append("picture")
        return picture

    @node("test.paint", cache="volatile")
    def paint(ctx: Context, steps: int) -> None:
        """Paint in steps, and show the whole."""
        drawn.append("watched" if ctx.watched else "alone")
        for step in range(steps):
            ctx.progress(step + 1, steps, draw)
        ctx.show(picture)

    class Pack:
        @hookimpl
        def register_nodes(self) -> list[object]:
            return [paint]

    picture = Image(np.zeros((1, 2, 2, 3), np.float32))  # type: ignore[arg-type] # the engine knows no tensors
    flow = workflow({"paint": ("test.paint", {"steps": 120})})
    with Engine(tmp_path, packs=toy_packs(toy, ("test", Pack())), disk_cache_bytes=0) as engine:
        alone = told(engine, flow, targets=["paint"])
        assert drawn == ["alone"]
        watched = told(engine, flow, targets=["paint"], previews=True)
    assert drawn == ["alone", "watched", *["picture"] * 40]  # every third step
    assert events.NodePreview("paint", picture) not in alone
    assert watched.count(events.NodePreview("paint", picture)) == 40
    last = watched.index(events.NodeProgress("paint", 120, 120))
    assert watched[last + 1 : last + 3] == [
        events.NodePreview("paint", picture), events.NodeShown("paint", picture),
    ]  # fmt: skip
    assert events.NodeShown("paint", picture) in alone


@given(st.integers(1, 10**6))
def test_at_most_50_previews_are_drawn_and_the_last_step_always(total: int) -> None:
    step = math.ceil(total / MAX_PREVIEWS)
    assert is_drawn(total, total)
    assert total // step + (total % step > 0) <= MAX_PREVIEWS
    assert all(is_drawn(done, total) for done in range(step, total, step))
    assert not any(is_drawn(done, total) for done in range(1, min(step, total)))


def test_a_file_that_must_be_hashed_first_is_told_in_the_loops_thread(engine: Engine) -> None:
    (engine.data_dir / "inputs").mkdir(parents=True)
    (engine.data_dir / "inputs" / "in.png").write_bytes(b"text")
    threads: list[int] = []
    log: list[events.Event] = []

    def listen(event: events.Event) -> None:
        threads.append(threading.get_ident())
        log.append(event)

    engine.run_sync(workflow({"r": ("toy.read", {"file": "in.png"})}, **shown("r")), on_event=listen)
    assert log[0] == events.FileHashed("in.png", 4, 4)
    assert set(threads) == {threading.get_ident()}


@pytest.mark.parametrize(
    "lanes", [("cpu", "cpu"), ("io", "io", "io", "io"), ("cpu", "io", "device"), ("device", "cpu", "cpu")]
)
def test_independent_branches_overlap(engine: Engine, toy: Toy, lanes: tuple[str, ...]) -> None:
    """All meet at one barrier, which opens only if they run at the same time."""
    toy.gates["all"] = threading.Barrier(len(lanes))
    nodes = {
        f"n{index}": (f"toy.meet_{lane}", {"gate": "all", "number": index})
        for index, lane in enumerate(lanes)
    }
    result = engine.run_sync(workflow(nodes, outputs={name: {"from": name} for name in nodes}))
    assert len(result.outcomes("ran")) == len(lanes)


def test_the_device_runs_one_node_at_a_time(engine: Engine, toy: Toy) -> None:
    """All its nodes run in one thread."""
    toy.gates["open"] = threading.Barrier(1)
    threads: list[int] = []
    toy.observers["meet_device"] = lambda: threads.append(threading.get_ident())
    nodes = {f"n{i}": ("toy.meet_device", {"gate": "open", "number": i}) for i in range(5)}
    engine.run_sync(workflow(nodes, outputs={name: {"from": name} for name in nodes}))
    assert len(threads) == 5
    assert len({*threads, threading.get_ident()}) == 2


def test_slow_nodes_do_not_hold_up_inline_ones(engine: Engine, toy: Toy) -> None:
    """A CPU node waits until a chain of inline nodes that starts beside it has finished."""
    toy.gates["end"] = threading.Barrier(2)
    nodes: dict[str, Any] = {"slow": ("toy.meet_cpu", {"gate": "end"}), "n0": ("toy.number", {})}
    nodes |= {f"n{i}": ("toy.add", {"a": f"@n{i - 1}"}) for i in range(1, 30)}
    nodes["meet"] = ("toy.meet_io", {"gate": "end", "number": "@n29"})
    result = engine.run_sync(workflow(nodes, outputs={"slow": {"from": "slow"}, "meet": {"from": "meet"}}))
    assert result.outputs == {"slow": 0.0, "meet": 29.0}


def test_long_inline_work_lets_everybody_else_go_on(engine: Engine) -> None:
    """A coroutine beside the run is served while thousands of inline nodes run."""
    nodes: dict[str, Any] = {"n0": ("toy.number", {})}
    nodes |= {f"n{i}": ("toy.add", {"a": f"@n{i - 1}"}) for i in range(1, 20_000)}
    graph = engine.bind(workflow(nodes, **shown("n19999")))
    log: list[events.Event] = []
    served: list[int] = []

    async def beside() -> None:
        while True:
            served.append(len(log))
            await asyncio.sleep(0)

    async def main() -> None:
        other = asyncio.create_task(beside())
        await engine.run(graph, on_event=log.append)
        other.cancel()

    asyncio.run(main())
    assert len({count for count in served if 0 < count < len(log)}) > 3


def test_a_long_chain_needs_no_recursion(engine: Engine) -> None:
    nodes: dict[str, Any] = {"n0": ("toy.number", {})}
    nodes |= {f"n{i}": ("toy.add", {"a": f"@n{i - 1}"}) for i in range(1, 3000)}
    assert engine.run_sync(workflow(nodes, **shown("n2999"))).outputs == {"result": 2999.0}
    broken = nodes | {"n0": ("toy.fail", {})}
    with pytest.raises(RunFailedError):
        engine.run_sync(workflow(broken, **shown("n2999")))


def test_a_chain_of_a_hundred_thousand_nodes_is_planned_and_runs(engine: Engine) -> None:
    last = 99_999
    nodes: dict[str, Any] = {"n0": ("toy.number", {})}
    nodes |= {f"n{i}": ("toy.add", {"a": f"@n{i - 1}"}) for i in range(1, last + 1)}
    flow = workflow(nodes, **shown(f"n{last}"))
    assert engine.check(flow) == []
    assert len(engine.plan(flow).by_action("run")) == last + 1
    seen: list[object] = []
    result = engine.run_sync(flow, on_event=seen.append)
    assert result.outputs == {"result": float(last)}
    assert len(result.outcomes("ran")) == last + 1
    assert len(seen) == 2 * (last + 1) + 2


def test_results_are_released_at_their_last_reader(make_engine: MakeEngine, toy: Toy) -> None:
    """Box b is read by `first`, then by `second`; it is gone when `third` runs, which reads `second`."""
    boxes: list[weakref.ref[Box]] = []
    alive: list[int] = []
    toy.observers["box"] = lambda box: boxes.append(weakref.ref(box))
    toy.observers["unbox"] = lambda: alive.append(sum(box() is not None for box in boxes))
    flow = workflow(
        {
            "b": ("toy.box", {"number": 1}),
            "c": ("toy.box", {"number": 2}),
            "first": ("toy.unbox", {"box": "@b"}),
            "second": ("toy.unbox", {"box": "@b", "after": "@first"}),
            "third": ("toy.unbox", {"box": "@c", "after": "@second"}),
        },
        **shown("third"),
    )
    make_engine(cache_bytes=0).run_sync(flow)
    assert alive == [2, 2, 1]
    gc.collect()
    assert [box() for box in boxes] == [None, None]


def test_a_wide_graph_of_large_values_holds_few_at_a_time(make_engine: MakeEngine, toy: Toy) -> None:
    """A chain of boxes, each read once: at any moment two are alive, however long the chain."""
    boxes: list[weakref.ref[Box]] = []
    alive: list[int] = []

    def made(box: Box) -> None:
        boxes.append(weakref.ref(box))
        alive.append(sum(item() is not None for item in boxes))

    toy.observers["box"] = made
    nodes: dict[str, Any] = {"u0": ("toy.number", {})}
    for index in range(1, 30):
        nodes[f"b{index}"] = ("toy.box", {"number": f"@u{index - 1}"})
        nodes[f"u{index}"] = ("toy.unbox", {"box": f"@b{index}"})
    make_engine(cache_bytes=0).run_sync(workflow(nodes, **shown("u29")))
    assert max(alive) <= 2


def test_the_cache_keeps_what_it_has_room_for(make_engine: MakeEngine, toy: Toy) -> None:
    boxes: list[weakref.ref[Box]] = []
    toy.observers["box"] = lambda box: boxes.append(weakref.ref(box))
    engine = make_engine()
    engine.run_sync(workflow({"b": ("toy.box", {}), "u": ("toy.unbox", {"box": "@b"})}, **shown("u")))
    gc.collect()
    assert boxes[0]() is not None
    engine.cache.clear()
    gc.collect()
    assert boxes[0]() is None


def test_eviction_during_a_run_never_breaks_it(make_engine: MakeEngine, toy: Toy) -> None:
    """The cache has room for two results; what the plan reuses is held from planning on."""
    engine = make_engine(cache_bytes=1200)
    for number in range(6):
        flow = workflow(
            {
                "n": ("toy.number", {"value": 1}),
                "s": ("toy.add_on_cpu", {"a": "@n", "b": number}),
                "t": ("toy.total", {"a": "@n", "b": "@s"}),
            },
            **shown("t"),
        )
        for _ in range(2):
            assert engine.run_sync(flow).outputs == {"result": 2.0 + number}
    assert engine.cache.used <= 1200


def test_concurrent_runs_of_one_engine_keep_apart(make_engine: MakeEngine, toy: Toy) -> None:
    engine = make_engine(cache_bytes=3000)

    async def main() -> list[Any]:
        return await asyncio.gather(*(engine.run(_sums(number)) for number in range(12)))

    outputs = [result.outputs["result"] for result in asyncio.run(main())]
    assert outputs == [2.0 * number + 3 for number in range(12)]
    assert toy.resources_made == 1


def _sums(number: float) -> dict[str, Any]:
    return workflow(
        {
            "n": ("toy.number", {"value": number}),
            "c": ("toy.add_on_cpu", {"a": "@n"}),
            "l": ("toy.add_later", {"a": "@n", "b": 2}),
            "t": ("toy.total", {"a": "@c", "b": "@l"}),
        },
        **shown("t"),
    )


def test_engines_in_several_threads_keep_apart(make_engine: MakeEngine) -> None:
    engine = make_engine()
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        found[number] = engine.run_sync(_sums(number)).outputs["result"]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: 2.0 * number + 3 for number in range(6)}


def test_devices_are_found_once_however_many_nodes_ask_first(engine: Engine, toy: Toy) -> None:
    toy.gates["all"] = threading.Barrier(4)
    nodes = {f"n{i}": ("toy.meet_io", {"gate": "all", "number": i}) for i in range(4)}
    engine.run_sync(workflow(nodes, outputs={name: {"from": name} for name in nodes}))
    assert toy.resources_made == 1


def test_inline_nodes_alone_need_no_device(engine: Engine, toy: Toy) -> None:
    engine.run_sync(workflow({"n": ("toy.number", {})}, **shown("n")))
    assert toy.resources_made == 0


def test_the_artifacts_of_a_fully_cached_run_are_listed(engine: Engine) -> None:
    flow = workflow({f"s{i}": ("toy.save", {"number": i, "prefix": f"p{i}"}) for i in range(3)})
    first = engine.run_sync(flow)
    again = engine.run_sync(flow)
    assert again.outcomes("saved") == ["s0", "s1", "s2"]
    assert sorted(map(str, (a.path for a in again.artifacts))) == sorted(
        str(engine.outputs / f"p{i}_00001.txt") for i in range(3)
    )
    assert set(again.artifacts) == set(first.artifacts)


def test_several_outputs_are_read_by_name(engine: Engine) -> None:
    flow = workflow(
        {"h": ("toy.halve", {"number": 7}), "t": ("toy.total", {"a": "@h.whole", "b": "@h.rest"})},
        outputs={"whole": {"from": "h.whole"}, "rest": {"from": "h.rest"}, "t": {"from": "t"}},
    )
    assert engine.run_sync(flow).outputs == {"whole": 3, "rest": 1, "t": 4.0}


def test_linked_numbers_are_taken_as_the_input_declares_them(engine: Engine) -> None:
    flow = workflow({"n": ("toy.count", {"number": 4}), "s": ("toy.shrink", {"size": "@n"})}, **shown("s"))
    assert engine.run_sync(flow).outputs == {"result": 0.4}


def test_a_linked_number_out_of_range_fails_with_its_place(engine: Engine) -> None:
    flow = workflow({"n": ("toy.count", {"number": 40}), "s": ("toy.shrink", {"size": "@n"})}, **shown("s"))
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(flow)
    assert caught.value.describe() == (
        "node 's', input 'size': the value is out of range; expected a number from 0 to 10, found 40."
    )


def test_a_node_that_returns_something_else_is_named(engine: Engine) -> None:
    with pytest.raises(
        RunFailedError, match=r"node 'l': 'toy.lie' returned .* expected number, found 'text'"
    ):
        engine.run_sync(workflow({"l": ("toy.lie", {})}, **shown("l")))


def test_the_record_travels_with_every_run(engine: Engine) -> None:
    flow = workflow({"n": ("toy.number", {"value": 3})}, name="mine", **shown("n"))
    record = engine.run_sync(flow).record
    assert record.document == flow
    assert record.run["targets"] == ["n"]
    assert record.run["packs"] == {"toy": ""}


def test_a_result_has_a_short_name(engine: Engine) -> None:
    """`asyncio.run` writes the result of its task into a message, however large the result is."""
    result = engine.run_sync(workflow({"b": ("toy.box", {})}, **shown("b")))
    assert repr(result) == "<RunResult of 1 nodes: result>"
    assert len(repr(result.plan)) < 60


def test_an_engine_without_devices_says_what_is_missing(tmp_path: Path) -> None:
    @node("lone.cpu")
    def cpu(number: float = 0.0) -> float:
        """Run on the CPU lane."""
        return number

    class Lone:
        @hookimpl
        def register_nodes(self) -> list[object]:
            return [cpu]

    packs = toy_packs(Toy(), ("lone", Lone()))
    packs.manager.unregister(name="toy")
    with (
        Engine(tmp_path, packs=packs) as engine,
        pytest.raises(RunFailedError, match=r"no pack provides devices and models") as caught,
    ):
        engine.run_sync(workflow({"n": ("lone.cpu", {})}, **shown("n")))
    assert isinstance(caught.value.failures[0].cause, DeclarationError)


def test_exports_are_written_by_suffix(engine: Engine, tmp_path: Path) -> None:
    result = engine.run_sync(workflow({"b": ("toy.box", {"number": 5})}, **shown("b")))
    assert engine.export(result.outputs["result"], tmp_path / "box.txt", result.record) == [
        tmp_path / "box.txt"
    ]
    assert (tmp_path / "box.txt").read_text() == "5.0"


def test_every_started_node_finishes_once(engine: Engine) -> None:
    flow = workflow(
        {f"n{i}{lane}": (f"toy.{lane}", {"a": i}) for i, lane in itertools.product(
            range(4), ("add", "add_on_cpu", "add_later"))},
        outputs={"x": {"from": "n0add"}},
    )  # fmt: skip
    log = told(engine, flow, targets=list(flow["nodes"]))
    started = Counter(event.node for event in log if isinstance(event, events.NodeStarted))
    finished = Counter(event.node for event in log if isinstance(event, events.NodeFinished))
    assert started == finished == dict.fromkeys(flow["nodes"], 1)


def test_a_closed_engine_says_so(engine: Engine) -> None:
    engine.close()
    with pytest.raises(InputError, match="the engine is closed"):
        engine.run_sync(
            {"nodegraph": 1, "nodes": {"a": {"type": "toy.number"}}, "outputs": {"a": {"from": "a"}}}
        )
