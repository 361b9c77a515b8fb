"""Lists: made, taken apart, combined; and `logic.for_each` over several of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Engine
from nodegraph.errors import InputError, Problem, RunFailedError
from nodegraph_nodes.logic.combine import MOST, combine
from nodegraph_nodes.logic.lists import broadcast, get, join, length, product, side_by_side
from tests.nodes.logic_flows import body, flow, logic_engine
from tests.toy import Toy, workflow

WEIGH = body("float", "sum", {"sum": ("toy.add_on_cpu", {"a": {"input": "item"}, "b": {"input": "weight"}})},
             item="float", weight={"type": "float", "default": 100})  # fmt: skip


@pytest.fixture
def logic(toy: Toy, tmp_path: Path) -> Iterator[Engine]:
    with logic_engine(toy, tmp_path / "data") as made:
        yield made


def weigh(items: Any, mode: str | None = None, /, inside: Any = WEIGH, **lists: Any) -> dict[str, Any]:
    inputs = {"body": "#weigh", "items": items, **({"mode": mode} if mode else {})}
    return flow(
        {"loop": ("logic.for_each", {**inputs, **({"lists": lists} if lists else {})})}, "loop", weigh=inside
    )


def result(engine: Engine, document: dict[str, Any]) -> Any:
    return engine.run_sync(document).outputs["result"]


def failure(engine: Engine, document: dict[str, Any]) -> Problem:
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(document)
    (failed,) = caught.value.failures
    return failed.problem


def test_basics(logic: Engine) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "made": ("list.make", {"items": [1, 2]}),
        "empty": ("list.make", {}),
        "repeated": ("list.repeat", {"value": "a", "count": 3}),
        "never": ("list.repeat", {"value": "a", "count": 0}),
    }
    document = workflow(nodes, outputs={name: {"from": name} for name in nodes})
    assert logic.run_sync(document).outputs == {
        "made": [1, 2], "empty": [], "repeated": ["a", "a", "a"], "never": [],
    }  # fmt: skip
    assert (get([1, 2, 3]), get([1, 2, 3], -1)) == (1, 3)
    assert (length([]), length([1, 2])) == (0, 2)
    assert join([1], [], [2, 3]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("items", "index", "expected"), [([1, 2], 2, "from -2 to 1"), ([], 0, "a list that is not empty")]
)
def test_a_position_outside_a_list(items: list[int], index: int, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        get(items, index)
    assert (caught.value.problem.input, caught.value.problem.expected) == ("index", expected)


def test_two_lists_together() -> None:
    assert side_by_side([1, 2], ["a", "b"]) == ([1, 2], ["a", "b"])
    assert product([1, 2], ["a", "b"]) == ([1, 1, 2, 2], ["a", "b", "a", "b"])
    assert broadcast([1], ["a", "b"]) == ([1, 1], ["a", "b"])
    assert broadcast([1], []) == ([], [])


LENGTHS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 4), min_size=1)


@given(LENGTHS)
def test_a_product_is_every_combination_once_and_in_order(lengths: dict[str, int]) -> None:
    assert combine(lengths, "product") == list(itertools.product(*(range(size) for size in lengths.values())))


@given(LENGTHS)
def test_lists_side_by_side_are_of_one_length_or_of_one_value(lengths: dict[str, int]) -> None:
    sizes = set(lengths.values())
    if len(sizes) == 1:
        assert combine(lengths, "zip") == [(step,) * len(lengths) for step in range(*sizes)]
    else:
        with pytest.raises(InputError, match="differs in length"):
            combine(lengths, "zip")
    if len(sizes - {1}) <= 1:
        count = min(sizes - {1}, default=1)
        expected = [tuple(0 if size == 1 else step for size in lengths.values()) for step in range(count)]
        assert combine(lengths, "broadcast") == expected
    else:
        with pytest.raises(InputError, match="differs in length"):
            combine(lengths, "broadcast")


def test_too_many_combinations_are_refused_before_they_are_made() -> None:
    with pytest.raises(InputError, match="too many combinations"):
        combine({"a": MOST, "b": MOST}, "product")


def test_list_nodes_in_a_workflow_keep_their_types(logic: Engine) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "numbers": ("list.make", {"items": [1, 2.5, {"from": "one"}]}),
        "one": ("toy.number", {"value": 7}),
        "pairs": ("list.product", {"first": "@numbers", "second": ["a", "b"]}),
        "sum": ("toy.sum_list", {"numbers": "@pairs.first"}),
    }
    assert result(logic, flow(nodes, "sum")) == 21.0
    nodes["sum"] = ("toy.sum_list", {"numbers": "@pairs.second"})
    (problem,) = logic.check(flow(nodes, "sum"))
    assert (problem.node, problem.found) == ("sum", "list of text")


@pytest.mark.parametrize(
    ("mode", "weights", "expected"),
    [
        (None, [10, 20], [11.0, 22.0]),
        ("zip", [10, 20], [11.0, 22.0]),
        ("product", [10, 20], [11.0, 21.0, 12.0, 22.0]),
        ("broadcast", [10], [11.0, 12.0]),
        ("broadcast", 10, [11.0, 12.0]),
        ("product", 10, [11.0, 12.0]),
        ("product", [], []),
    ],
)
def test_a_loop_over_two_lists(logic: Engine, mode: str | None, weights: Any, expected: list[float]) -> None:
    assert result(logic, weigh([1, 2], mode, weight=weights)) == expected


def test_three_lists_of_different_types(logic: Engine) -> None:
    inside = body(
        "float", "sum", {
            "number": ("toy.unbox", {"box": {"input": "box"}}),
            "chosen": ("logic.select", {"key": {"input": "how"}, "cases": {"boxed": {"from": "number"}}}),
            "sum": ("toy.add", {"a": "@chosen", "b": {"input": "item"}}),
        },
        item="int", box="box", how="text",
    )  # fmt: skip
    document = weigh([1, 2], "broadcast", inside=inside, box={"from": "boxes"}, how="boxed")
    document["nodes"]["boxes"] = {"type": "list.make", "inputs": {"items": [{"from": "a"}, {"from": "b"}]}}
    document["nodes"] |= workflow({"a": ("toy.box", {"number": 3}), "b": ("toy.box", {"number": 4})})["nodes"]
    assert result(logic, document) == [4.0, 6.0]


def test_a_single_linked_value_is_repeated(logic: Engine) -> None:
    document = weigh([1, 2], "broadcast", weight={"from": "number"})
    document["nodes"]["number"] = {"type": "toy.number", "inputs": {"value": 10}}
    assert result(logic, document) == [11.0, 12.0]


def test_lengths_that_differ_are_both_named(logic: Engine) -> None:
    problem = failure(logic, weigh([1, 2, 3], weight=[10, 20]))
    assert (problem.node, problem.input) == ("loop", "lists.weight")
    assert (problem.expected, problem.found) == ("3 values", "2 values")
    assert "'items'" in problem.message
    problem = failure(logic, weigh([1, 2, 3], "broadcast", weight=[10, 20]))
    assert problem.expected == "3 values or one"


def test_what_was_combined_before_is_not_computed_again(logic: Engine, toy: Toy) -> None:
    result(logic, weigh([1, 2], "zip", weight=[10, 20]))
    assert result(logic, weigh([2, 1], "product", weight=[20, 10])) == [22.0, 12.0, 21.0, 11.0]
    assert toy.calls["add_on_cpu"] == 4


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ({"weight": ["a"]}, "text is not number"),
        ({"weight": {"from": "text"}}, "text is not number"),
        ({"item": [1]}, "given it already"),
        ({"index": [1]}, "given it already"),
        ({"mode": [1]}, "an input is called so"),
    ],
    ids=repr,
)
def test_lists_are_checked_against_the_body(logic: Engine, lists: dict[str, Any], words: str) -> None:
    document = weigh([1], **lists)
    document["nodes"]["text"] = {"type": "value.text", "inputs": {"value": "a"}}
    found = [problem.describe() for problem in logic.check(document)]
    assert any(words in one for one in found), found


def test_a_list_that_the_body_needs_and_does_not_get_is_named(logic: Engine) -> None:
    inside = {**WEIGH, "inputs": {"item": {"type": "float"}, "weight": {"type": "float"}}}
    (problem,) = logic.check(weigh([1], inside=inside))
    assert (problem.code, problem.input) == ("missing_input", "body")
    assert "'weight'" in problem.message
    assert logic.check(weigh([1], inside=inside, weight=[1])) == []


def test_a_loop_over_one_list_has_the_key_that_it_always_had(logic: Engine) -> None:
    plan = logic.plan(weigh([1, 2]))
    assert set(plan.entries["loop"].parts) == {"body", "items", "@bodies"}
    assert logic.plan(weigh([1, 2], "zip")).entries["loop"].key == plan.entries["loop"].key
    assert logic.plan(weigh([1, 2], "product")).entries["loop"].key != plan.entries["loop"].key


def test_the_catalogue_says_what_a_body_is_given_of_each_list(logic: Engine) -> None:
    inputs = logic.registry.nodes["logic.for_each"].to_json()["inputs"]
    assert inputs["body"]["schema"]["x-socket"]["each"] == "lists"
    assert inputs["lists"]["schema"]["x-growing"] == "named"
