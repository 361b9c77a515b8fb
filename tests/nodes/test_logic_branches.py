"""`logic.switch` and `logic.select`: one branch of many runs, and a wrong choice says what there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Engine
from nodegraph.errors import RunFailedError
from tests.nodes.logic_flows import flow, logic_engine
from tests.toy import Toy

BRANCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "one": ("toy.add_on_cpu", {"a": 1, "b": 0}),
    "before_two": ("toy.add_later", {"a": 1, "b": 0}),
    "two": ("toy.total", {"a": "@before_two", "b": 1}),
    "three": ("toy.box", {"number": 3}),
    "unboxed": ("toy.unbox", {"box": "@three"}),
}
LINKS = [{"from": "one"}, {"from": "two"}, {"from": "unboxed"}]


@pytest.fixture
def logic(toy: Toy, tmp_path: Path) -> Iterator[Engine]:
    with logic_engine(toy, tmp_path / "data") as made:
        yield made


def switch(index: Any, branches: list[Any] = LINKS, **more: Any) -> dict[str, Any]:
    return flow(
        {**BRANCHES, **more, "node": ("logic.switch", {"index": index, "branches": branches})}, "node"
    )


def select(key: Any, cases: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    return flow({**BRANCHES, "node": ("logic.select", {"key": key, "cases": cases, **inputs})}, "node")


CASES = dict(zip(["first", "second", "third"], LINKS, strict=True))
RUN = {"add_on_cpu": 0, "add_later": 1, "total": 1, "box": 2, "unbox": 2}


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("by_name", [False, True])
def test_only_the_chosen_branch_runs(logic: Engine, toy: Toy, index: int, by_name: bool) -> None:
    document = select(list(CASES)[index], CASES) if by_name else switch(index)
    assert logic.run_sync(document).outputs == {"result": index + 1.0}
    assert {name: toy.calls[name] for name in RUN} == {name: int(at == index) for name, at in RUN.items()}


def test_the_plan_shows_all_branches_as_maybe(logic: Engine) -> None:
    plan = logic.plan(switch(1))
    assert set(plan.by_action("maybe")) == set(BRANCHES)
    assert plan.by_action("run") == ["node"]


def test_the_index_may_be_computed_and_branches_written(logic: Engine) -> None:
    document = switch("@which", [1.5, 2.5, {"from": "two"}], which=("toy.count", {"number": 1}))
    assert logic.run_sync(document).outputs == {"result": 2.5}


@pytest.mark.parametrize(
    ("branches", "expected"), [(LINKS, "from 0 to 2"), ([1], "from 0 to 0"), ([], "a branch to choose")]
)
def test_an_index_out_of_range_says_so(logic: Engine, toy: Toy, branches: list[Any], expected: str) -> None:
    with pytest.raises(RunFailedError) as caught:
        logic.run_sync(switch(3, branches))
    problem = caught.value.failures[0].problem
    assert (problem.node, problem.input, problem.expected, problem.found) == ("node", "index", expected, "3")
    assert not toy.calls


def test_a_negative_index_is_refused_before_anything_runs(logic: Engine) -> None:
    (problem,) = logic.check(switch(-1))
    assert (problem.code, problem.input) == ("out_of_range", "index")


def test_a_name_without_a_case_takes_otherwise(logic: Engine, toy: Toy) -> None:
    document = select("other", {"first": {"from": "one"}}, otherwise={"from": "two"})
    assert logic.run_sync(document).outputs == {"result": 2.0}
    assert toy.calls["add_on_cpu"] == 0
    document = select("first", {"first": {"from": "one"}}, otherwise={"from": "two"})
    assert logic.run_sync(document).outputs == {"result": 1.0}


def test_otherwise_may_be_written(logic: Engine) -> None:
    assert logic.run_sync(select("other", {"first": 1.0}, otherwise=0.5)).outputs == {"result": 0.5}


@pytest.mark.parametrize(("cases", "expected"), [({"a": 1, "b": 2}, "'a' or 'b'"), ({}, "a case to choose")])
def test_a_name_without_a_case_is_an_error(logic: Engine, cases: dict[str, Any], expected: str) -> None:
    with pytest.raises(RunFailedError) as caught:
        logic.run_sync(select("c", cases))
    problem = caught.value.failures[0].problem
    assert (problem.input, problem.expected, problem.found) == ("key", expected, "'c'")


def test_branches_must_agree_and_the_one_that_does_not_is_named(logic: Engine) -> None:
    (problem,) = logic.check(switch(0, [{"from": "one"}, {"from": "three"}]))
    assert (problem.code, problem.node, problem.input) == ("wrong_type", "node", "branches[1]")
    (problem,) = logic.check(select("a", {"a": {"from": "one"}, "b": {"from": "three"}}))
    assert problem.input == "cases.b"


def test_the_type_of_the_branches_is_that_of_the_result(logic: Engine) -> None:
    document = switch(0, [{"from": "three"}, {"from": "three"}])
    document["nodes"]["after"] = {"type": "toy.add", "inputs": {"a": {"from": "node"}}}
    (problem,) = logic.check(document)
    assert (problem.node, problem.found) == ("after", "box")


def test_a_case_cannot_be_called_like_an_input(logic: Engine) -> None:
    (problem,) = logic.check(select("key", {"key": 1}))
    assert problem.input == "cases.key"


def test_a_failing_branch_is_reported_once(logic: Engine) -> None:
    document = switch(0, [{"from": "bad"}, {"from": "one"}], bad=("toy.fail", {}))
    with pytest.raises(RunFailedError) as caught:
        logic.run_sync(document)
    assert [failure.problem.node for failure in caught.value.failures] == ["bad"]
