"""Subgraphs, bypass and mute: a subgraph means its inline expansion, keys and results included."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.engine import Engine
from nodegraph.errors import Problem, WorkflowError
from tests.conftest import MakeEngine

Nodes = dict[str, Any]

TWICE: dict[str, Any] = {
    "inputs": {"x": {"type": "float"}, "more": {"type": "float", "default": 1}},
    "outputs": {"sum": {"type": "float", "from": "second"}, "half": {"type": "float", "from": "first"}},
    "nodes": {
        "first": {"type": "toy.add", "inputs": {"a": {"input": "x"}, "b": {"input": "more"}}},
        "second": {"type": "toy.add", "inputs": {"a": {"from": "first"}, "b": {"input": "x"}}},
    },
}


def workflow(nodes: Nodes, outputs: dict[str, str], **rest: Any) -> dict[str, Any]:
    return {
        "nodegraph": 1,
        "nodes": nodes,
        "outputs": {name: {"from": reference} for name, reference in outputs.items()},
        **rest,
    }


def problems(engine: Engine, document: dict[str, Any]) -> list[Problem]:
    return engine.check(document)


def test_a_subgraph_runs_as_its_nodes(engine: Engine) -> None:
    document = workflow(
        {
            "start": {"type": "toy.number", "inputs": {"value": 2}},
            "twice": {"type": "#twice", "inputs": {"x": {"from": "start"}}},
        },
        {"sum": "twice.sum", "half": "twice.half"},
        subgraphs={"twice": TWICE},
    )
    result = engine.run_sync(document)
    assert result.outputs == {"sum": 5.0, "half": 3.0}
    assert sorted(result.outcomes("ran")) == ["start", "twice/first", "twice/second"]


def test_a_subgraph_is_a_target(engine: Engine) -> None:
    nodes = {"twice": {"type": "#twice", "inputs": {"x": 1}}, "other": {"type": "toy.number"}}
    document = workflow(nodes, {"other": "other"}, subgraphs={"twice": TWICE})
    assert "other" not in engine.run_sync(document, targets=["twice"]).outcomes("ran")


def test_named_inputs_feed_a_subgraph(engine: Engine) -> None:
    document = workflow(
        {"twice": {"type": "#twice", "inputs": {"x": 1}}},
        {"sum": "twice.sum"},
        subgraphs={"twice": TWICE},
        inputs={"x": {"to": ["twice.x"]}},
    )
    assert engine.run_sync(document, x=10).outputs == {"sum": 21.0}
    with pytest.raises(WorkflowError, match="wrong type"):
        engine.run_sync(document, x="ten")


@given(
    values=st.lists(st.integers(-9, 9), min_size=1, max_size=4),
    depth=st.integers(1, 10),
    more=st.none() | st.integers(-5, 5),
)
def test_nesting_changes_no_key_and_no_result(
    make_engine: MakeEngine, values: list[int], depth: int, more: int | None
) -> None:
    """A chain of additions inside `depth` subgraphs has the keys and the result of the plain chain."""
    engine = make_engine()
    extra = {} if more is None else {"b": more}
    chain: Nodes = {"n0": {"type": "toy.number", "inputs": {"value": values[0]}}}
    for index, value in enumerate(values[1:], 1):
        link = {"from": f"n{index - 1}"}
        chain[f"n{index}"] = {"type": "toy.add", "inputs": {"a": link, "b": value, **extra}}
    last = f"n{len(values) - 1}"
    plain = workflow(chain, {"out": last})
    subgraphs = {"s0": {"nodes": chain, "outputs": {"out": {"type": "float", "from": last}}}}
    for level in range(1, depth):
        inner = {"inner": {"type": f"#s{level - 1}"}}
        subgraphs[f"s{level}"] = {"nodes": inner, "outputs": {"out": {"type": "float", "from": "inner"}}}
    nested = workflow({"top": {"type": f"#s{depth - 1}"}}, {"out": "top"}, subgraphs=subgraphs)
    plain_plan, nested_plan = engine.plan(plain), engine.plan(nested)
    assert sorted(entry.key or "" for entry in plain_plan.entries.values()) == sorted(
        entry.key or "" for entry in nested_plan.entries.values()
    )
    assert engine.run_sync(plain).outputs == engine.run_sync(nested).outputs


def test_fifty_deep(engine: Engine) -> None:
    subgraphs: dict[str, Any] = {"s0": TWICE}
    for level in range(1, 50):
        inner = {"inner": {"type": f"#s{level - 1}", "inputs": {"x": {"input": "x"}}}}
        subgraphs[f"s{level}"] = {
            "nodes": inner,
            "inputs": {"x": {"type": "float"}},
            "outputs": {"sum": {"type": "float", "from": "inner.sum"}},
        }
    document = workflow({"top": {"type": "#s49", "inputs": {"x": 3}}}, {"sum": "top"}, subgraphs=subgraphs)
    assert engine.run_sync(document).outputs == {"sum": 7.0}


def test_problems_inside_name_the_path(engine: Engine) -> None:
    broken = copy.deepcopy(TWICE)
    broken["nodes"]["second"]["inputs"]["a"] = {"from": "frist"}
    broken["nodes"]["first"]["inputs"]["b"] = {"input": "moer"}
    document = workflow(
        {"twice": {"type": "#twice", "inputs": {"x": "three", "y": 1}}},
        {"sum": "twice.sum"},
        subgraphs={"twice": broken},
    )
    found = {(problem.code, problem.node, problem.input) for problem in problems(engine, document)}
    assert found >= {
        ("wrong_type", "twice", "x"),
        ("unknown_input", "twice", "y"),
        ("unknown_input", "twice/first", "b"),
        ("unknown_node", "twice/second", "a"),
    }


def test_a_link_must_fit_the_declared_type(engine: Engine) -> None:
    document = workflow(
        {
            "box": {"type": "toy.box", "inputs": {"number": 1}},
            "twice": {"type": "#twice", "inputs": {"x": {"from": "box"}}},
        },
        {"sum": "twice.sum"},
        subgraphs={"twice": TWICE},
    )
    (found, *_) = [problem for problem in problems(engine, document) if problem.node == "twice"]
    assert (found.code, found.input, found.expected, found.found) == ("wrong_type", "x", "number", "box")


@pytest.mark.parametrize(
    ("subgraphs", "code", "words"),
    [
        ({}, "unknown_subgraph", "no subgraph 'a'"),
        ({"a": {"nodes": {"x": {"type": "#a"}}}}, "recursive_subgraph", "a -> a"),
        (
            {"a": {"nodes": {"x": {"type": "#b"}}}, "b": {"nodes": {"y": {"type": "#a"}}}},
            "recursive_subgraph",
            "a -> b -> a",
        ),
        (
            {"a": {"nodes": {"x": {"type": "toy.number"}}, "inputs": {"i": {"type": "pictuer"}}}},
            "unknown_type",
            "pictuer",
        ),
    ],
)
def test_bad_definitions(engine: Engine, subgraphs: dict[str, Any], code: str, words: str) -> None:
    document = workflow({"sub": {"type": "#a"}}, {}, subgraphs=subgraphs)
    (problem, *_) = [problem for problem in problems(engine, document) if problem.code == code]
    assert words in problem.describe()


def test_random_seed_inside_a_subgraph_is_drawn(engine: Engine) -> None:
    inner = {"draw": {"type": "toy.draw", "inputs": {"seed": "random"}}}
    subgraphs = {"s": {"nodes": inner, "outputs": {"x": {"type": "int", "from": "draw"}}}}
    graph = engine.bind(workflow({"sub": {"type": "#s"}}, {"x": "sub"}, subgraphs=subgraphs))
    assert isinstance(graph.nodes["sub/draw"].params["seed"], int)
    assert graph.document.subgraphs["s"].nodes["draw"].inputs["seed"] != "random"


def chain_of_three(mode: str) -> dict[str, Any]:
    return workflow(
        {
            "a": {"type": "toy.number", "inputs": {"value": 1}},
            "b": {"type": "toy.add", "inputs": {"a": {"from": "a"}, "b": 10}, "mode": mode},
            "c": {"type": "toy.add", "inputs": {"a": {"from": "b"}, "b": 100}},
            "d": {"type": "toy.add", "inputs": {"a": {"from": "a"}, "b": 1000}},
        },
        {"c": "c", "d": "d"},
    )


def test_bypass_hands_on_the_first_fitting_input(engine: Engine) -> None:
    result = engine.run_sync(chain_of_three("bypass"))
    assert result.outputs == {"c": 101.0, "d": 1001.0}
    assert "b" not in result.nodes


def test_mute_takes_out_what_needs_it(engine: Engine) -> None:
    result = engine.run_sync(chain_of_three("mute"))
    assert result.outputs == {"d": 1001.0}
    assert result.plan.graph.muted == {"b", "c"}


def test_mute_leaves_an_optional_input_at_its_default(engine: Engine) -> None:
    document = workflow(
        {
            "a": {"type": "toy.number", "inputs": {"value": 5}, "mode": "mute"},
            "b": {"type": "toy.add", "inputs": {"a": 1, "b": {"from": "a"}}},
        },
        {"b": "b"},
    )
    assert engine.run_sync(document).outputs == {"b": 2.0}


def test_a_muted_subgraph_is_not_entered(engine: Engine) -> None:
    nodes = {
        "twice": {"type": "#twice", "inputs": {"x": 1}, "mode": "mute"},
        "one": {"type": "toy.number", "inputs": {"value": 1}},
    }
    document = workflow(nodes, {"sum": "twice.sum", "one": "one"}, subgraphs={"twice": TWICE})
    assert engine.run_sync(document).outputs == {"one": 1.0}


def test_a_bypassed_subgraph_hands_on_its_input(engine: Engine) -> None:
    nodes = {
        "one": {"type": "toy.number", "inputs": {"value": 4}},
        "twice": {"type": "#twice", "inputs": {"x": {"from": "one"}}, "mode": "bypass"},
    }
    document = workflow(nodes, {"sum": "twice.sum"}, subgraphs={"twice": TWICE})
    assert engine.run_sync(document).outputs == {"sum": 4.0}
