"""Failure stops what reads from it and nothing else; cancelling stops everything within one step."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nodegraph.engine import Engine
from nodegraph.errors import CancelledError, RunFailedError, WorkflowError
from nodegraph.execution import events
from nodegraph.execution.cancel import CancelToken
from tests.toy import Toy, shown, workflow

FAILING = workflow(
    {
        "box": ("toy.box", {"number": 3}),
        "bad": ("toy.fail", {"box": "@box", "number": 2, "message": "it broke"}),
        "after": ("toy.add", {"a": "@bad"}),
        "far_after": ("toy.add_on_cpu", {"a": "@after"}),
        "both": ("toy.total", {"a": "@after", "b": "@good"}),
        "good": ("toy.add_on_cpu", {"a": 1}),
        "better": ("toy.add_later", {"a": "@good"}),
        "save": ("toy.save", {"number": "@better"}),
    },
    outputs={"both": {"from": "both"}, "far": {"from": "far_after"}},
)


def failed(engine: Engine, flow: Any, log: list[events.Event] | None = None) -> RunFailedError:
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(flow, on_event=log.append if log is not None else events.discard)
    return caught.value


def outcomes(log: list[events.Event]) -> dict[str, str]:
    return {event.node: event.outcome for event in log if isinstance(event, events.NodeFinished)}


def test_a_failed_node_stops_only_what_reads_from_it(engine: Engine) -> None:
    log: list[events.Event] = []
    failed(engine, FAILING, log)
    assert outcomes(log) == {
        "box": "ran", "bad": "failed", "after": "skipped", "far_after": "skipped", "both": "skipped",
        "good": "ran", "better": "ran", "save": "ran",
    }  # fmt: skip
    assert log[-1] == events.RunFinished("failed")
    assert (engine.outputs / "number_00001.txt").read_text() == "3.0"


def test_a_failure_names_node_cause_and_inputs(engine: Engine) -> None:
    titled = {
        **FAILING,
        "nodes": {**FAILING["nodes"], "bad": {**FAILING["nodes"]["bad"], "title": "Bad one"}},
    }
    (failure,) = failed(engine, titled).failures
    assert isinstance(failure.cause, ValueError)
    assert failure.describe() == "node 'bad' (Bad one): ValueError: it broke."
    assert failure.inputs == {"box": "Box", "number": "2.0", "message": "'it broke'"}
    assert failure.problem.to_json() == {
        "code": "node_failed", "message": "ValueError: it broke", "node": "bad", "title": "Bad one",
    }  # fmt: skip


def test_what_ran_beside_a_failure_is_kept(engine: Engine, toy: Toy) -> None:
    failed(engine, FAILING)
    log: list[events.Event] = []
    failed(engine, FAILING, log)
    assert {id_: outcome for id_, outcome in outcomes(log).items() if outcome != "skipped"} == {
        "box": "memory", "bad": "failed", "good": "memory", "save": "saved",
    }  # fmt: skip
    assert toy.calls["fail"] == 2


def test_all_failures_of_a_run_are_reported(engine: Engine) -> None:
    flow = workflow(
        {f"bad{i}": ("toy.fail", {"message": f"number {i}"}) for i in range(3)},
        outputs={f"o{i}": {"from": f"bad{i}"} for i in range(3)},
    )
    assert failed(engine, flow).describe().splitlines() == [
        f"node 'bad{i}': ValueError: number {i}." for i in range(3)
    ]


def test_a_node_cannot_end_the_program(engine: Engine) -> None:
    (failure,) = failed(engine, workflow({"leave": ("toy.leave", {})}, **shown("leave"))).failures
    assert failure.describe() == "node 'leave': SystemExit: 3."


def test_an_exception_that_cannot_say_what_it_is_fails_its_node_alone(engine: Engine) -> None:
    flow = workflow(
        {"bad": ("toy.mumble", {}), "good": ("toy.add_on_cpu", {"a": 1})},
        outputs={"bad": {"from": "bad"}, "good": {"from": "good"}},
    )
    log: list[events.Event] = []
    (failure,) = failed(engine, flow, log).failures
    assert failure.describe() == "node 'bad': UnspeakableError (it cannot say its message)."
    assert outcomes(log) == {"bad": "failed", "good": "ran"}


def test_a_message_that_fills_a_screen_is_cut(engine: Engine) -> None:
    flow = workflow({"bad": ("toy.fail", {"message": "data " * 10_000})}, **shown("bad"))
    (failure,) = failed(engine, flow).failures
    assert len(failure.describe()) < 2_100
    assert failure.inputs["message"] == "'" + "data " * 11 + "d..."


def test_an_interrupt_raised_in_a_lane_fails_its_node_alone(engine: Engine) -> None:
    """Ctrl-C reaches the main thread alone: in another one it is the node's own doing."""
    flow = workflow(
        {"bad": ("toy.interrupt", {}), "good": ("toy.add_on_cpu", {"a": 1})},
        outputs={"bad": {"from": "bad"}, "good": {"from": "good"}},
    )
    log: list[events.Event] = []
    (failure,) = failed(engine, flow, log).failures
    assert failure.describe() == "node 'bad': KeyboardInterrupt."
    assert outcomes(log) == {"bad": "failed", "good": "ran"}


@pytest.mark.parametrize("type_", ["toy.interrupt_inline", "toy.interrupt_later"])
def test_an_interrupt_in_the_main_thread_ends_the_run_and_is_passed_on(
    engine: Engine, toy: Toy, type_: str
) -> None:
    nodes = {"steps": ("toy.steps", {"count": 10**9}), "stop": (type_, {})}
    flow = workflow(nodes, outputs={name: {"from": name} for name in nodes})
    log: list[events.Event] = []
    with pytest.raises(KeyboardInterrupt):
        engine.run_sync(flow, on_event=log.append)
    assert set(outcomes(log).values()) == {"cancelled"}
    assert log[-1] == events.RunFinished("cancelled")
    engine.close()  # waits for running nodes: it returns because there are none


@pytest.mark.parametrize("type_", ["toy.interrupt_inline", "toy.interrupt_later"])
def test_an_interrupt_in_another_thread_is_the_nodes_own(engine: Engine, type_: str) -> None:
    with ThreadPoolExecutor(1) as threads:
        error = threads.submit(failed, engine, workflow({"stop": (type_, {})}, **shown("stop"))).result(60)
    assert error.describe() == "node 'stop': KeyboardInterrupt."


def test_a_failed_save_leaves_nothing(engine: Engine) -> None:
    flow = workflow({"save": ("toy.save", {"number": 1, "prefix": "../out"})})
    assert "leads out of the output folder" in failed(engine, flow).describe()
    assert not list(engine.data_dir.rglob("*.txt"))


def test_an_output_folder_that_is_a_file_is_noticed_before_the_work(engine: Engine, toy: Toy) -> None:
    engine.data_dir.mkdir(parents=True)
    engine.outputs.write_text("in the way")
    flow = workflow({"n": ("toy.add_on_cpu", {"a": 1}), "save": ("toy.save", {"number": "@n"})}, **shown("n"))
    with pytest.raises(WorkflowError) as caught:
        engine.run_sync(flow)
    assert not toy.calls
    (problem,) = caught.value.problems
    assert (problem.code, problem.node) == ("unwritable", "save")
    assert f"'{engine.outputs}' is not a folder" in problem.describe()
    assert "--data-dir" in problem.describe()
    assert engine.run_sync(flow, targets=["n"]).outputs == {"result": 2.0}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_noticed_before_the_work(engine: Engine, toy: Toy) -> None:
    engine.data_dir.mkdir(parents=True)
    engine.data_dir.chmod(0o500)
    try:
        with pytest.raises(WorkflowError, match="may not be written"):
            engine.run_sync(workflow({"save": ("toy.save", {"number": 1})}))
    finally:
        engine.data_dir.chmod(0o700)
    assert not toy.calls


STEPS = workflow({"s": ("toy.steps", {"count": 10**9}), "a": ("toy.add", {"a": "@s"})}, **shown("a"))


def test_a_token_stops_a_node_within_one_step(engine: Engine, toy: Toy) -> None:
    token = CancelToken()
    log: list[events.Event] = []
    toy.observers["step"] = lambda: token.cancel() if toy.calls["step"] == 5 else None
    with pytest.raises(CancelledError):
        engine.run_sync(STEPS, cancel=token, on_event=log.append)
    assert toy.calls["step"] == 5
    assert outcomes(log) == {"s": "cancelled"}
    assert log[-1] == events.RunFinished("cancelled")


def test_cancelling_the_task_stops_a_node_within_one_step_and_waits_for_it(engine: Engine, toy: Toy) -> None:
    log: list[events.Event] = []
    reached, leaving = threading.Event(), threading.Event()

    def step() -> None:
        if toy.calls["step"] == 3:
            reached.set()
            leaving.wait(30)

    toy.observers["step"] = step

    async def main() -> None:
        task = asyncio.create_task(engine.run(STEPS, on_event=log.append))
        await asyncio.to_thread(reached.wait, 30)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        leaving.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert toy.calls["step"] == 3
    assert outcomes(log) == {"s": "cancelled"}
    assert log[-1] == events.RunFinished("cancelled")


@pytest.mark.parametrize("stop", ["token", "task"])
def test_an_async_node_that_waits_for_ever_is_stopped(engine: Engine, toy: Toy, stop: str) -> None:
    flow = workflow({"f": ("toy.forever", {}), "a": ("toy.add", {"a": "@f"})}, **shown("a"))
    token = CancelToken()
    log: list[events.Event] = []

    async def main() -> None:
        task = asyncio.create_task(engine.run(flow, cancel=token, on_event=log.append))
        await asyncio.to_thread(toy.signal("forever").wait, 30)
        if stop == "task":
            task.cancel()
        else:
            token.cancel()
        with pytest.raises((CancelledError, asyncio.CancelledError)):
            await task

    asyncio.run(main())
    assert outcomes(log) == {"f": "cancelled"}


def test_a_token_may_be_set_from_any_thread(engine: Engine, toy: Toy) -> None:
    token = CancelToken()

    def cancel() -> None:
        toy.signal("forever").wait(30)
        token.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(CancelledError):
        engine.run_sync(workflow({"f": ("toy.forever", {})}, **shown("f")), cancel=token)
    thread.join()


def test_a_token_that_is_set_already_runs_nothing(engine: Engine, toy: Toy) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        engine.run_sync(FAILING, cancel=token)
    assert not toy.calls


def test_what_waits_in_a_lane_never_starts_after_cancelling(engine: Engine, toy: Toy) -> None:
    """One device node runs, four wait for the lane: none of them is entered."""
    token, queued = CancelToken(), threading.Event()
    log: list[events.Event] = []
    toy.gates["open"] = threading.Barrier(1)
    toy.observers["box"] = lambda _box: queued.set()  # the last to start: all others are in their lane by now

    def cancel_when_all_wait() -> None:
        queued.wait(30)
        token.cancel()

    toy.observers["meet_device"] = cancel_when_all_wait
    nodes: dict[str, Any] = {f"n{i}": ("toy.meet_device", {"gate": "open", "number": i}) for i in range(5)}
    flow = workflow(
        {**nodes, "last": ("toy.box", {})}, outputs={name: {"from": name} for name in [*nodes, "last"]}
    )
    with pytest.raises(CancelledError):
        engine.run_sync(flow, cancel=token, on_event=log.append)
    assert outcomes(log) == {"last": "ran", "n0": "ran", **dict.fromkeys(list(nodes)[1:], "cancelled")}
    assert {event.node for event in log if isinstance(event, events.NodeStarted)} == {"n0", "last"}


def test_a_run_that_was_cancelled_when_all_was_done_is_done(engine: Engine) -> None:
    token = CancelToken()

    def listen(event: events.Event) -> None:
        if isinstance(event, events.NodeFinished):
            token.cancel()

    result = engine.run_sync(
        workflow({"n": ("toy.number", {"value": 4})}, **shown("n")), cancel=token, on_event=listen
    )
    assert result.outputs == {"result": 4.0}


def test_the_engine_works_on_after_a_cancelled_run(engine: Engine, toy: Toy) -> None:
    token = CancelToken()
    toy.observers["step"] = token.cancel
    with pytest.raises(CancelledError):
        engine.run_sync(STEPS, cancel=token)
    toy.observers.clear()
    flow = workflow({"s": ("toy.steps", {"count": 2, "number": 4})}, **shown("s"))
    assert engine.run_sync(flow).outputs == {"result": 4.0}


def test_cancelling_stops_hashing(engine: Engine, toy: Toy) -> None:
    (engine.data_dir / "inputs").mkdir(parents=True)
    with (engine.data_dir / "inputs" / "large.png").open("wb") as file:
        file.truncate(64 * 2**20)
    token = CancelToken()
    hashed: list[int] = []

    def listen(event: events.Event) -> None:
        if isinstance(event, events.FileHashed):
            hashed.append(event.done)
            token.cancel()

    with pytest.raises(CancelledError):
        engine.run_sync(
            workflow({"r": ("toy.read", {"file": "large.png"})}, **shown("r")), cancel=token, on_event=listen
        )
    assert not toy.calls
    assert 0 < max(hashed) <= 64 * 2**20


@pytest.mark.parametrize(
    "first",
    [events.RunStarted, events.NodeStarted, events.NodeProgress, events.NodeFinished],
    ids=lambda kind: kind.__name__,
)
def test_a_listener_that_raises_ends_the_run_and_leaves_nothing_running(
    engine: Engine, first: Callable[..., events.Event]
) -> None:
    def listen(event: events.Event) -> None:
        if type(event) is first:
            raise LookupError("not listening")

    flow = workflow(
        {"n": ("toy.number", {}), "s": ("toy.steps", {"count": 10**9, "number": "@n"})}, **shown("s")
    )
    with pytest.raises(LookupError, match="not listening"):
        engine.run_sync(flow, on_event=listen)
    engine.close()  # waits for running nodes: it returns because there are none


def test_a_token_calls_its_listeners_while_they_listen() -> None:
    token = CancelToken()
    called: list[str] = []
    with token.calling(lambda: called.append("inside")):
        token.cancel()
    token.cancel()
    assert called == ["inside"]
    with pytest.raises(CancelledError):
        token.check()
