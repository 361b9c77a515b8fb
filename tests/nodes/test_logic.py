"""Branches and loops: the untaken side never runs, iterations are cached, nesting needs no lane slot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nodegraph_nodes
from nodegraph import Engine
from nodegraph.errors import CancelledError, RunFailedError
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Event, NodeFinished
from nodegraph.packs import load_packs
from tests.toy import Toy

Nodes = dict[str, Any]

DOUBLE: dict[str, Any] = {
    "inputs": {"item": {"type": "float"}},
    "outputs": {"result": {"type": "float", "from": "add"}},
    "nodes": {"add": {"type": "toy.add_on_cpu", "inputs": {"a": {"input": "item"}, "b": {"input": "item"}}}},
}
SUM: dict[str, Any] = {
    "inputs": {"state": {"type": "float"}, "item": {"type": "float"}},
    "outputs": {"state": {"type": "float", "from": "add"}},
    "nodes": {"add": {"type": "toy.add", "inputs": {"a": {"input": "state"}, "b": {"input": "item"}}}},
}
HALVE_UNTIL_SMALL: dict[str, Any] = {
    "inputs": {"state": {"type": "float"}},
    "outputs": {
        "state": {"type": "float", "from": "half"},
        "again": {"type": "bool", "from": "large"},
    },
    "nodes": {
        "half": {"type": "math.calculate", "inputs": {"a": {"input": "state"}, "b": 2, "how": "÷"}},
        "large": {"type": "logic.compare", "inputs": {"a": {"from": "half"}, "b": 1, "how": "greater"}},
    },
}


@pytest.fixture
def logic(toy: Toy, tmp_path: Path) -> Iterator[Engine]:
    """An engine with the built-in pack and the toy pack, whose resources come first: no torch is needed."""
    packs = load_packs(extra=[("builtin", nodegraph_nodes), ("toy", toy)], installed=False)
    with Engine(tmp_path / "data", packs=packs) as made:
        yield made


def workflow(nodes: Nodes, out: str, **subgraphs: Any) -> dict[str, Any]:
    return {
        "nodegraph": 1,
        "name": "loop",
        "nodes": nodes,
        "outputs": {"out": {"from": out}},
        "subgraphs": subgraphs,
    }


def branches(condition: Any) -> dict[str, Any]:
    nodes = {
        "yes": {"type": "toy.add_on_cpu", "inputs": {"a": 1, "b": 1}},
        "before_no": {"type": "toy.add_later", "inputs": {"a": 1}},
        "no": {"type": "toy.add_on_cpu", "inputs": {"a": {"from": "before_no"}, "b": 40}},
        "if": {
            "type": "logic.if",
            "inputs": {"condition": condition, "then": {"from": "yes"}, "otherwise": {"from": "no"}},
        },
    }
    return workflow(nodes, "if")


def test_the_untaken_side_never_runs(logic: Engine, toy: Toy) -> None:
    result = logic.run_sync(branches(True))
    assert result.outputs == {"out": 2.0}
    assert result.outcomes("ran") == ["yes", "if"]
    assert toy.calls["add_later"] == 0
    assert result.plan.by_action("maybe") == ["yes", "before_no", "no"]


def test_the_other_side_runs_with_what_it_needs(logic: Engine) -> None:
    result = logic.run_sync(branches(False))
    assert result.outputs == {"out": 42.0}
    assert result.outcomes("ran") == ["before_no", "no", "if"]


def test_the_condition_may_be_computed(logic: Engine) -> None:
    document = branches({"from": "compare"})
    document["nodes"]["compare"] = {"type": "logic.compare", "inputs": {"a": 1, "b": 2}}
    assert logic.run_sync(document).outputs == {"out": 2.0}


def test_a_side_may_be_a_literal(logic: Engine) -> None:
    nodes = {"if": {"type": "logic.if", "inputs": {"condition": False, "then": 1.5, "otherwise": 2.5}}}
    assert logic.run_sync(workflow(nodes, "if")).outputs == {"out": 2.5}


def test_a_branch_that_is_read_elsewhere_runs_once(logic: Engine, toy: Toy) -> None:
    document = branches(True)
    document["nodes"]["also"] = {"type": "toy.add", "inputs": {"a": {"from": "yes"}, "b": 100}}
    document["outputs"]["also"] = {"from": "also"}
    assert logic.run_sync(document).outputs == {"out": 2.0, "also": 102.0}
    assert toy.calls["add_on_cpu"] == 1


def test_a_failing_branch_is_reported_once(logic: Engine) -> None:
    document = branches(False)
    document["nodes"]["no"] = {"type": "toy.fail", "inputs": {"number": {"from": "before_no"}}}
    document["nodes"]["after"] = {"type": "toy.add", "inputs": {"a": {"from": "if"}}}
    document["outputs"]["after"] = {"from": "after"}
    with pytest.raises(RunFailedError) as caught:
        logic.run_sync(document)
    assert [failure.problem.node for failure in caught.value.failures] == ["no"]


def test_sides_must_agree(logic: Engine) -> None:
    document = branches(True)
    document["nodes"]["no"] = {"type": "toy.box", "inputs": {"number": 1}}
    del document["nodes"]["before_no"]
    (problem,) = logic.check(document)
    assert (problem.code, problem.node) == ("wrong_type", "if")
    assert "do not agree" in problem.message


def test_a_generic_output_keeps_its_type(logic: Engine) -> None:
    document = branches(True)
    document["nodes"]["unbox"] = {"type": "toy.unbox", "inputs": {"box": {"from": "if"}}}
    (problem,) = logic.check(document)
    assert (problem.node, problem.input, problem.found) == ("unbox", "box", "number")


def for_each(items: Any, body: str = "#double") -> Nodes:
    return {"loop": {"type": "logic.for_each", "inputs": {"body": body, "items": items}}}


def test_for_each(logic: Engine, toy: Toy) -> None:
    result = logic.run_sync(workflow(for_each([1, 2, 3]), "loop", double=DOUBLE))
    assert result.outputs == {"out": [2.0, 4.0, 6.0]}
    assert toy.calls["add_on_cpu"] == 3


def test_iterations_are_cached_by_item(logic: Engine, toy: Toy) -> None:
    logic.run_sync(workflow(for_each([1, 2, 3]), "loop", double=DOUBLE))
    again = logic.run_sync(workflow(for_each([3, 4, 1, 1]), "loop", double=DOUBLE))
    assert again.outputs == {"out": [6.0, 8.0, 2.0, 2.0]}
    assert toy.calls["add_on_cpu"] == 4
    same = logic.run_sync(workflow(for_each([3, 4, 1, 1]), "loop", double=DOUBLE))
    assert same.outcomes("ran") == []


def test_changing_the_body_changes_the_loop(logic: Engine) -> None:
    logic.run_sync(workflow(for_each([1]), "loop", double=DOUBLE))
    tripled = {**DOUBLE, "nodes": {"add": {"type": "toy.add", "inputs": {"a": {"input": "item"}, "b": 2}}}}
    assert logic.run_sync(workflow(for_each([1]), "loop", double=tripled)).outputs == {"out": [3.0]}


def test_events_name_the_place_of_each_iteration(logic: Engine) -> None:
    seen: list[Event] = []
    logic.run_sync(workflow(for_each([1, 2]), "loop", double=DOUBLE), on_event=seen.append)
    finished = [event.node for event in seen if isinstance(event, NodeFinished)]
    assert sorted(finished[:2]) == ["loop/0/add", "loop/1/add"]
    assert finished[2:] == ["loop"]


def test_a_failing_iteration_names_its_place(logic: Engine) -> None:
    body = {**DOUBLE, "nodes": {"add": {"type": "toy.fail", "inputs": {"number": {"input": "item"}}}}}
    with pytest.raises(RunFailedError) as caught:
        logic.run_sync(workflow(for_each([1]), "loop", double=body))
    assert [failure.problem.node for failure in caught.value.failures] == ["loop/0/add"]


def test_fold_and_repeat(logic: Engine) -> None:
    fold = {"loop": {"type": "logic.fold", "inputs": {"body": "#sum", "items": [1, 2, 3.5], "initial": 0}}}
    assert logic.run_sync(workflow(fold, "loop", sum=SUM)).outputs == {"out": 6.5}
    step = {
        **SUM,
        "inputs": {"state": {"type": "float"}, "index": {"type": "int"}},
        "nodes": {"add": {"type": "toy.add", "inputs": {"a": {"input": "state"}, "b": {"input": "index"}}}},
    }
    repeat = {"loop": {"type": "logic.repeat", "inputs": {"body": "#step", "initial": 10, "count": 4}}}
    assert logic.run_sync(workflow(repeat, "loop", step=step)).outputs == {"out": 16.0}


def test_while_and_its_limit(logic: Engine) -> None:
    nodes: Nodes = {"loop": {"type": "logic.while", "inputs": {"body": "#halve", "initial": 20}}}
    assert logic.run_sync(workflow(nodes, "loop", halve=HALVE_UNTIL_SMALL)).outputs == {"out": 0.625}
    nodes["loop"]["inputs"]["limit"] = 3
    with pytest.raises(RunFailedError, match="did not end within 3 steps"):
        logic.run_sync(workflow(nodes, "loop", halve=HALVE_UNTIL_SMALL))


def nested_three_deep(leaf: str) -> dict[str, Any]:
    """for_each in for_each in for_each over two items each: eight leaves."""
    subgraphs: dict[str, Any] = {
        "level0": {
            "inputs": {"item": {"type": "float"}},
            "outputs": {"result": {"type": "float", "from": "leaf"}},
            "nodes": {"leaf": {"type": leaf, "inputs": {"a": {"input": "item"}, "b": 1}}},
        }
    }
    type_: Any = "float"
    for level in (1, 2):
        type_ = {"type": "list", "item": {"type": type_} if isinstance(type_, str) else type_}
        subgraphs[f"level{level}"] = {
            "inputs": {"item": {"type": "float"}},
            "outputs": {"result": {"type": type_, "from": "loop"}},
            "nodes": for_each([level * 10, level * 10 + 1], f"#level{level - 1}"),
        }
    return workflow(for_each([1, 2], "#level2"), "loop", **subgraphs)


@pytest.mark.parametrize("leaf", ["toy.add", "toy.add_on_cpu", "toy.add_later"])
def test_nested_three_deep_without_deadlock(logic: Engine, leaf: str) -> None:
    result = logic.run_sync(nested_three_deep(leaf))
    assert result.outputs == {"out": [[[11.0, 12.0], [11.0, 12.0]]] * 2}


def test_cancelling_inside_a_loop(logic: Engine) -> None:
    cancel = CancelToken()

    def stop(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node == "loop/1/add":
            cancel.cancel()

    with pytest.raises(CancelledError):
        logic.run_sync(
            workflow(for_each(list(range(9))), "loop", double=DOUBLE), on_event=stop, cancel=cancel
        )


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"body": "double"}, "wrong_type", "'#name'"),
        ({"body": "#duoble"}, "unknown_subgraph", "Did you mean 'double'"),
        ({"items": ["a"]}, "wrong_type", "text is not number"),
        ({"items": 3}, "wrong_type", "list"),
    ],
)
def test_bad_loops(logic: Engine, change: dict[str, Any], code: str, words: str) -> None:
    nodes = for_each([1])
    nodes["loop"]["inputs"].update(change)
    found = logic.check(workflow(nodes, "loop", double=DOUBLE))
    assert code in {problem.code for problem in found}
    assert any(words in problem.describe() for problem in found), found


def test_problems_inside_a_body_name_it(logic: Engine) -> None:
    body = {**DOUBLE, "nodes": {"add": {"type": "toy.ad", "inputs": {}}}}
    found = logic.check(workflow(for_each([1]), "loop", double=body))
    assert ("unknown_type", "#double/add") in {(problem.code, problem.node) for problem in found}


def test_a_body_that_lacks_an_output_is_refused(logic: Engine) -> None:
    found = logic.check(workflow(for_each([1], "#sum"), "loop", sum=SUM))
    assert any("no output 'result'" in problem.message for problem in found)
    assert any("'state'" in problem.message for problem in found)


def test_a_body_that_runs_itself_is_refused(logic: Engine) -> None:
    body = {**DOUBLE, "nodes": for_each([1]), "outputs": {"result": {"type": "float", "from": "loop"}}}
    found = logic.check(workflow(for_each([1]), "loop", double=body))
    assert "recursive_subgraph" in {problem.code for problem in found}


def test_saving_inside_a_loop_lists_every_file(logic: Engine) -> None:
    body = {
        **DOUBLE,
        "nodes": {**DOUBLE["nodes"], "save": {"type": "toy.save", "inputs": {"number": {"from": "add"}}}},
    }
    first = logic.run_sync(workflow(for_each([1, 2]), "loop", double=body))
    assert len(first.artifacts) == 2
    again = logic.run_sync(workflow(for_each([1, 2]), "loop", double=body))
    assert again.artifacts == first.artifacts
    assert again.outcomes("ran") == ["loop"]


def test_a_volatile_body_runs_every_time(logic: Engine, toy: Toy) -> None:
    body = {**DOUBLE, "nodes": {"add": {"type": "toy.dice", "inputs": {}}}}
    for _ in range(2):
        logic.run_sync(workflow(for_each([1]), "loop", double=body))
    assert toy.calls["dice"] == 2
