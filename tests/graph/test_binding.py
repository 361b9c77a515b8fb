"""Binding: every problem of a workflow in one pass, each with its place, and a graph when there is none."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from nodegraph.engine import Engine
from nodegraph.errors import Problem, WorkflowError
from tests.toy import shown, workflow

EVERYTHING_WRONG: dict[str, Any] = {
    "nodegraph": 1,
    "nodes": {
        "misspelt": {"type": "toy.nmber", "inputs": {}},
        "after_misspelt": {"type": "toy.add", "inputs": {"a": {"from": "misspelt"}}},
        "unknown_input": {"type": "toy.number", "inputs": {"vlaue": 1}, "title": "My number"},
        "missing": {"type": "toy.add", "inputs": {}},
        "missing_link": {"type": "toy.unbox", "inputs": {}},
        "text": {"type": "toy.number", "inputs": {"value": "5"}},
        "boolean": {"type": "toy.number", "inputs": {"value": True}},
        "fraction": {"type": "toy.halve", "inputs": {"number": 2.5}},
        "range": {"type": "toy.shrink", "inputs": {"size": 11}},
        "object": {"type": "toy.number", "inputs": {"value": {"form": "text"}}},
        "escaped": {"type": "toy.number", "inputs": {"value": {"value": {"a": 1}}}},
        "menu": {"type": "toy.pick", "inputs": {"mode": "third"}},
        "choice": {"type": "toy.apply", "inputs": {"number": 1, "operation": "duoble"}},
        "file": {"type": "toy.read", "inputs": {"file": "nothing.png"}},
        "seed": {"type": "toy.draw", "inputs": {"seed": 2**64}},
        "seed_text": {"type": "toy.draw", "inputs": {"seed": "chance"}},
        "literal_box": {"type": "toy.unbox", "inputs": {"box": 5}},
        "nowhere": {"type": "toy.add", "inputs": {"a": {"from": "unknwon_input"}}},
        "no_output": {"type": "toy.add", "inputs": {"a": {"from": "fraction.x"}}},
        "which_output": {"type": "toy.add", "inputs": {"a": {"from": "fraction"}}},
        "of_nothing": {"type": "toy.add", "inputs": {"a": {"from": "save"}}},
        "wrong_link": {"type": "toy.unbox", "inputs": {"box": {"from": "range"}}},
        "lossy_link": {"type": "toy.halve", "inputs": {"number": {"from": "range"}}},
        "version": {"type": "toy.number", "version": 7},
        "strange": {"type": "toy.number", "mode": "mute", "inputs": {"no": 1}},
        "subgraph": {"type": "#mine"},
        "round": {"type": "toy.add", "inputs": {"a": {"from": "trip"}}},
        "trip": {"type": "toy.add", "inputs": {"a": {"from": "round"}}},
        "save": {"type": "toy.save", "inputs": {"number": 1}},
    },
    "inputs": {"p": {"to": ["missing.q", "nobody.a"]}},
    "outputs": {"result": {"from": "trop"}},
}

EXPECTED = [
    # code, node, input, a part of the sentence
    ("unknown_type", "misspelt", None, "Did you mean 'toy.number'"),
    ("unknown_subgraph", "subgraph", None, "no subgraph 'mine'"),
    (
        "unknown_input",
        "unknown_input",
        "vlaue",
        "node 'unknown_input' (My number), input 'vlaue': 'toy.number'",
    ),
    ("unknown_input", "unknown_input", "vlaue", "Did you mean 'value'?"),
    ("missing_input", "missing", "a", "the input is required; expected number. Write a value."),
    ("missing_input", "missing_link", "box", "Link it to an output that gives: box."),
    ("wrong_type", "text", "value", "expected number, found '5'"),
    ("wrong_type", "boolean", "value", "expected number, found True"),
    ("wrong_type", "fraction", "number", "expected whole number, found 2.5"),
    ("out_of_range", "range", "size", "expected a number from 0 to 10, found 11"),
    ("wrong_type", "object", "value", 'A link is {"from": "node.output"}.'),
    ("wrong_type", "escaped", "value", "an object is neither a link nor a value"),
    ("not_in_menu", "menu", "mode", "expected one of first, second, found 'third'"),
    ("not_in_menu", "choice", "operation", "Did you mean 'double'?"),
    ("unknown_file", "file", "file", "there is no file 'nothing.png' in images"),
    (
        "out_of_range",
        "seed",
        "seed",
        'from 0 to 18446744073709551615, or "random", found 18446744073709551616',
    ),
    ("wrong_type", "seed_text", "seed", "found 'chance'"),
    ("wrong_type", "literal_box", "box", "the input takes a link, not a value; expected box, found 5"),
    ("unknown_node", "nowhere", "a", "Did you mean 'unknown_input'"),
    ("unknown_output", "no_output", "a", "There is: rest, whole."),
    ("unknown_output", "which_output", "a", "Write which: 'fraction.whole', 'fraction.rest'."),
    ("unknown_output", "of_nothing", "a", "'save' has 0 outputs"),
    ("wrong_type", "wrong_link", "box", "number is not box; expected box, found number"),
    ("wrong_type", "lossy_link", "number", "a number may have a fraction"),
    ("node_version", "version", None, "expected version 1, found version 7"),
    ("cycle", "trip", None, "Remove one of these links."),
    ("unknown_input", None, "inputs.p", "the workflow input 'p' feeds 'missing.q', which does not exist"),
    ("unknown_input", None, "inputs.p", "the workflow input 'p' feeds 'nobody.a', which does not exist"),
    ("unknown_node", None, "outputs.result", "Did you mean 'trip'"),
]


@pytest.fixture
def found(engine: Engine) -> list[Problem]:
    return engine.check(EVERYTHING_WRONG)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: f"{row[0]} at {row[1] or row[2]}")
def test_every_problem_is_found_in_one_pass(
    expected: tuple[str, str | None, str | None, str], found: list[Problem]
) -> None:
    code, node, input_, sentence = expected
    (problem,) = [
        p for p in found if (p.code, p.node, p.input) == (code, node, input_) and sentence in p.describe()
    ]
    assert problem.to_json()["code"] == code


def test_nothing_is_reported_twice_or_for_a_node_that_is_right(found: list[Problem]) -> None:
    assert {(p.code, p.node, p.input) for p in found} == {row[:3] for row in EXPECTED}
    assert len(found) == len(EXPECTED) - 1  # one problem stands in two rows above


def test_running_refuses_with_the_same_problems(engine: Engine, found: list[Problem]) -> None:
    with pytest.raises(WorkflowError) as caught:
        engine.run_sync(EVERYTHING_WRONG)
    assert list(caught.value.problems) == found


def test_a_cycle_names_its_links(engine: Engine) -> None:
    flow = workflow({name: ("toy.add", {"a": f"@{source}"}) for name, source in ("ab", "bc", "ca", "da")})
    (problem,) = engine.check(flow)
    path = problem.message.split("circle: ")[1].split(" -> ")
    assert (problem.code, path[0], set(path)) == ("cycle", path[-1], {"a", "b", "c"})
    assert set(itertools.pairwise(path)) == {("b", "a"), ("c", "b"), ("a", "c")}


def test_a_node_that_reads_itself_is_a_cycle(engine: Engine) -> None:
    (problem,) = engine.check(workflow({"a": ("toy.add", {"a": "@a"})}))
    assert "a -> a" in problem.message


def test_an_empty_workflow_and_one_without_results_are_refused(engine: Engine) -> None:
    assert [problem.code for problem in engine.check({"nodegraph": 1, "nodes": {}})] == ["empty"]
    with pytest.raises(WorkflowError, match="Add a save node"):
        engine.run_sync(workflow({"a": ("toy.number", {})}))


def test_an_unknown_target_is_named_with_the_nearest(engine: Engine) -> None:
    with pytest.raises(WorkflowError, match=r"no output or node 'resutl'. Did you mean 'result'"):
        engine.run_sync(workflow({"a": ("toy.number", {})}, **shown("a")), targets=["resutl"])


@pytest.mark.parametrize(
    ("type_", "name", "given", "taken"),
    [
        ("toy.number", "value", 5, 5.0),
        ("toy.halve", "number", 4.0, 4),
        ("toy.draw", "seed", 2**64 - 1, 2**64 - 1),
        ("toy.draw", "seed", 1e3, 1000),
        ("toy.sum_list", "numbers", [1, 2.5], [1.0, 2.5]),
        ("toy.unbox", "other", None, None),
        ("toy.number", "value", {"value": 3}, 3.0),
    ],
)
def test_literals_are_coerced_where_nothing_is_lost(
    engine: Engine, type_: str, name: str, given: object, taken: object
) -> None:
    graph = engine.bind(workflow({"box": ("toy.box", {}), "a": (type_, {"box": "@box", name: given})}
                                 if type_ == "toy.unbox" else {"a": (type_, {name: given})}))  # fmt: skip
    found = graph.nodes["a"].params[name]
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("nan")]], ids=repr)
def test_what_is_no_number_is_refused_as_a_named_input_too(engine: Engine, value: object) -> None:
    """JSON text cannot hold these, but Python and a command line can."""
    type_, name = ("toy.sum_list", "numbers") if isinstance(value, list) else ("toy.number", "value")
    empty: object = [] if isinstance(value, list) else 0
    flow = workflow({"a": (type_, {name: empty})}, inputs={"x": {"to": [f"a.{name}"]}}, **shown("a"))
    (problem,) = engine.check(flow, x=value)
    assert (problem.code, problem.input) == ("out_of_range", "x")


@pytest.mark.parametrize(
    "name", ["x" * 5000 + ".png", "", ".", "..", "\0", "a/../../b.png"], ids=lambda n: n[:9]
)
def test_a_strange_file_name_is_an_unknown_file(engine: Engine, name: str) -> None:
    (problem,) = engine.check(workflow({"a": ("toy.read", {"file": name})}, **shown("a")))
    assert problem.code == "unknown_file"


def test_a_file_outside_the_folders_may_be_named_by_its_path(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "there.png").write_text("seen")
    result = engine.run_sync(
        workflow({"a": ("toy.read", {"file": str(tmp_path / "there.png")})}, **shown("a"))
    )
    assert result.outputs == {"result": "seen"}
