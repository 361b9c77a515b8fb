"""Loops and branches share the cache's promises: made once, saved again when lost, watched in debug mode."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import nodegraph_nodes
from nodegraph import Engine
from nodegraph.errors import RunFailedError
from nodegraph.packs import load_packs
from tests.execution.test_debug import Careless
from tests.execution.work import Work
from tests.toy import Toy


def body(node: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "inputs": {"item": {"type": "float"}},
        "outputs": {"result": {"type": "float", "from": "made"}},
        "nodes": {"made": {"type": node, "inputs": inputs}, **more},
    }


def loop(over: Any, inside: dict[str, Any], **nodes: Any) -> dict[str, Any]:
    each = {"type": "logic.for_each", "inputs": {"body": "#body", "items": over}}
    return {
        "nodegraph": 1, "name": "loop", "nodes": {**nodes, "loop": each},
        "outputs": {"out": {"from": "loop"}}, "subgraphs": {"body": inside},
    }  # fmt: skip


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def engine(toy: Toy, work: Work, tmp_path: Path) -> Iterator[Engine]:
    packs = load_packs(extra=[("builtin", nodegraph_nodes), ("toy", toy), ("work", work)], installed=False)
    with Engine(tmp_path / "data", packs=packs) as made:
        yield made


def test_iterations_that_two_runs_share_are_made_once(engine: Engine, work: Work) -> None:
    inside = body("work.hold", {"number": {"input": "item"}})

    def run(items: list[float]) -> Any:
        return engine.run_sync(loop(items, inside)).outputs["out"]

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(run, [[1, 2, 3, 4], [4, 3, 2, 1]]))
    assert results == [[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]]
    assert work.calls["hold"] == 4


def test_a_loop_that_saves_runs_again_when_its_files_are_gone(engine: Engine, toy: Toy) -> None:
    save = {"type": "toy.save", "inputs": {"number": {"from": "made"}}}
    flow = loop([1, 2], body("toy.add_on_cpu", {"a": {"input": "item"}}, save=save))
    for artifact in engine.run_sync(flow).artifacts:
        artifact.path.unlink()
    again = engine.run_sync(flow)
    assert [artifact.path.exists() for artifact in again.artifacts] == [True, True]
    assert toy.calls["add_on_cpu"] == 2


@pytest.mark.parametrize(("items", "inner"), [([1, 2], "body"), ([1, 2, 3], "outer")])
def test_a_loop_that_saves_and_shows_shows_again(
    engine: Engine, toy: Toy, items: list[float], inner: str
) -> None:
    """What leaves no file is never done already, even one loop further inside."""
    save = {"type": "toy.save", "inputs": {"number": {"from": "made"}}}
    show = {"type": "toy.show", "inputs": {"number": {"from": "made"}}}
    flow = loop(items, body("toy.add_on_cpu", {"a": {"input": "item"}}, save=save, show=show))
    del flow["outputs"]
    if inner == "outer":
        each = {"type": "logic.for_each", "inputs": {"body": "#body", "items": [7, 8]}}
        flow["subgraphs"]["outer"] = body("toy.add_on_cpu", {"a": {"input": "item"}}, each=each)
        flow["nodes"]["loop"]["inputs"]["body"] = "#outer"
    engine.run_sync(flow)
    shows, saves, adds = toy.calls["show"], toy.calls["save"], toy.calls["add_on_cpu"]
    assert shows == 2 * len(items) if inner == "outer" else len(items)
    assert engine.plan(flow).entries["loop"].action == "run"
    again = engine.run_sync(flow)
    assert (toy.calls["show"], toy.calls["save"], toy.calls["add_on_cpu"]) == (2 * shows, saves, adds)
    assert len(again.artifacts) == shows


def test_a_loop_that_only_saves_is_done_already(engine: Engine) -> None:
    save = {"type": "toy.save", "inputs": {"number": {"from": "made"}}}
    flow = loop([1, 2], body("toy.add_on_cpu", {"a": {"input": "item"}}, save=save))
    del flow["outputs"]
    engine.run_sync(flow)
    assert engine.plan(flow).entries["loop"].action == "saved"


def test_a_failure_inside_a_loop_keeps_its_cause_and_inputs(engine: Engine) -> None:
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(loop([1, 2], body("toy.fail", {"number": {"input": "item"}})))
    (failure,) = caught.value.failures
    assert failure.problem.node == "loop/0/made"
    assert isinstance(failure.cause, ValueError)
    assert failure.inputs == {"box": "None", "number": "1", "message": "'no luck'"}


def test_iterations_are_found_on_disk(engine: Engine, work: Work) -> None:
    flow = loop([1, 2], body("work.double", {"number": {"input": "item"}}))
    engine.run_sync(flow)
    engine.cache.clear()
    engine.run_sync(loop([2, 1], flow["subgraphs"]["body"]))
    assert work.calls["double"] == 2


def repeat(source: str) -> dict[str, Any]:
    """A loop that doubles the number in a box, which comes from a volatile or from a pure node."""
    return {
        "nodegraph": 1,
        "nodes": {
            "dice": {"type": "toy.dice", "inputs": {}},
            "volatile": {"type": "toy.box", "inputs": {"number": {"from": "dice"}}},
            "pure": {"type": "toy.box", "inputs": {"number": 4}},
            "loop": {
                "type": "logic.repeat",
                "inputs": {"body": "#body", "initial": {"from": source}, "count": 2},
            },
        },
        "outputs": {"out": {"from": "loop"}},
        "subgraphs": {
            "body": {
                "inputs": {"state": {"type": "box"}},
                "outputs": {"state": {"type": "box", "from": "boxed"}},
                "nodes": {
                    "number": {"type": "toy.unbox", "inputs": {"box": {"input": "state"}}},
                    "double": {"type": "work.double", "inputs": {"number": {"from": "number"}}},
                    "boxed": {"type": "toy.box", "inputs": {"number": {"from": "double"}}},
                },
            }
        },
    }


@pytest.mark.parametrize(("source", "stored"), [("volatile", 0), ("pure", 2)])
def test_what_a_volatile_node_had_a_part_in_stays_off_the_disk(
    engine: Engine, work: Work, source: str, stored: int
) -> None:
    engine.run_sync(repeat(source))
    assert work.calls["double"] == 2
    assert engine.disk is not None
    assert [entry.node for entry in engine.disk.entries()].count("work.double") == stored


def test_debug_mode_names_the_culprit_inside_a_loop(toy: Toy, tmp_path: Path) -> None:
    packs = load_packs(extra=[("toy", toy), ("careless", Careless())])
    with Engine(tmp_path / "data", packs=packs, device="cpu", debug=True) as engine:
        with pytest.raises(RunFailedError) as caught:
            engine.run_sync(loop([1], body("careless.append", {"numbers": [1, 2]})))
        (failure,) = caught.value.failures
        assert (failure.problem.node, failure.problem.input) == ("loop/0/made", "numbers")
        assert "it changed its input in place" in failure.describe()
        harmless = body("toy.add_on_cpu", {"a": {"input": "item"}})
        assert engine.run_sync(loop([1, 2], harmless)).outputs["out"] == [2.0, 3.0]


def test_debug_mode_leaves_the_untaken_branch_alone(toy: Toy, tmp_path: Path) -> None:
    packs = load_packs(extra=[("toy", toy)])
    sides = {"then": {"from": "yes"}, "otherwise": {"from": "no"}}
    flow = {
        "nodegraph": 1,
        "nodes": {
            "yes": {"type": "toy.add_on_cpu", "inputs": {"a": 1}},
            "no": {"type": "toy.add_later", "inputs": {"a": 1}},
            "if": {"type": "logic.if", "inputs": {"condition": True, **sides}},
        },
        "outputs": {"out": {"from": "if"}},
    }
    with Engine(tmp_path / "data", packs=packs, device="cpu", debug=True) as engine:
        assert engine.run_sync(flow).outputs == {"out": 2.0}
    assert toy.calls["add_later"] == 0
