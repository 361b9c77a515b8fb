"""Cancelling at awkward moments: nothing hangs, nothing half done passes for done, nothing runs on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

import nodegraph_nodes
from nodegraph import Engine
from nodegraph.errors import CancelledError
from nodegraph.execution import events
from nodegraph.execution.cancel import CancelToken
from nodegraph.packs import load_packs
from tests.execution.conftest import NewEngine
from tests.toy import Toy, shown, workflow


def test_a_token_set_just_before_an_async_node_starts_ends_the_run(
    new_engine: NewEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, token = new_engine(), CancelToken()
    find = engine.cache.get

    def cancel_and_find(key: str) -> Any:
        token.cancel()  # between the look at the token and the start of the node's task
        return find(key)

    monkeypatch.setattr(engine.cache, "get", cancel_and_find)
    flow = workflow({"sum": ("toy.add_later", {"a": 1})}, **shown("sum"))

    async def run() -> None:
        await asyncio.wait_for(engine.run(flow, cancel=token), 10)

    with pytest.raises(CancelledError):
        asyncio.run(run())


def test_a_token_calls_its_listeners_once() -> None:
    token, called = CancelToken(), []
    with token.calling(lambda: called.append(1)):
        token.cancel()
        token.cancel()
    assert called == [1]


@pytest.fixture
def logic(toy: Toy, tmp_path: Path) -> Engine:
    packs = load_packs(extra=[("builtin", nodegraph_nodes), ("toy", toy)], installed=False)
    return Engine(tmp_path / "data", packs=packs)


def test_branches_that_ran_do_not_stand_in_for_nodes_that_did_not(logic: Engine) -> None:
    flow = workflow(
        {
            "taken": ("toy.number", {"value": 1}),
            "if": ("logic.if", {"condition": True, "then": "@taken", "otherwise": 2.0}),
            "last": ("toy.add_on_cpu", {"a": "@if"}),
        },
        **shown("last"),
    )
    token = CancelToken()

    def cancel(event: events.Event) -> None:
        if isinstance(event, events.NodeFinished) and event.node == "if":
            token.cancel()

    with logic, pytest.raises(CancelledError):
        logic.run_sync(flow, cancel=token, on_event=cancel)


def test_a_cancelled_loop_waits_for_what_runs_inside(logic: Engine, toy: Toy) -> None:
    toy.gates["inside"] = threading.Barrier(2)
    finished = threading.Event()
    inside = {
        "outputs": {"result": {"type": "float", "from": "wait"}},
        "nodes": {"wait": {"type": "toy.meet_cpu", "inputs": {"gate": "inside"}}},
    }
    loop = ("logic.for_each", {"body": "#body", "items": [1]})
    flow = workflow({"loop": loop}, subgraphs={"body": inside}, **shown("loop"))
    token = CancelToken()

    def finish() -> None:
        finished.set()
        toy.gates["inside"].wait(30)

    timer = threading.Timer(0.5, finish)

    def cancel(event: events.Event) -> None:
        if isinstance(event, events.NodeStarted) and event.node == "loop/0/wait":
            token.cancel()
            timer.start()

    with logic:
        with pytest.raises(CancelledError):
            logic.run_sync(flow, cancel=token, on_event=cancel)
        ended_first = finished.is_set()
    assert ended_first
