"""Growing inputs: `*numbers` as a list, `**named` as an object, each value an input of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Context, Graph, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.errors import Problem, RunFailedError
from nodegraph.graph.export import to_python
from nodegraph.packs import load_packs
from tests.graph.typed_nodes import TypedPack, first_of, later_total, listed, number, total
from tests.toy import workflow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("data")
    packs = load_packs(extra=[("typed", TypedPack())], installed=False)
    with Engine(folder, packs=packs) as engine:
        yield engine


def of(type_: str, **inputs: Any) -> dict[str, Any]:
    """A workflow that shows one node of that type, beside two numbers, 2 and 3."""
    nodes = {"two": ("typed.number", {"value": 2}), "three": ("typed.number", {"value": 3})}
    return workflow({**nodes, "node": (type_, inputs)}, outputs={"result": {"from": "node"}})


def result(engine: Engine, type_: str, **inputs: Any) -> Any:
    return engine.run_sync(of(type_, **inputs)).outputs["result"]


def problems(engine: Engine, type_: str, **inputs: Any) -> list[Problem]:
    return engine.check(of(type_, **inputs))


TWO, THREE = {"from": "two"}, {"from": "three.value"}


def test_values_and_links_reach_the_function_in_order(engine: Engine) -> None:
    assert result(engine, "typed.total", numbers=[1, TWO, THREE, {"value": 4}]) == 10
    assert result(engine, "typed.total") == 0
    assert result(engine, "typed.total", numbers=[]) == 0
    assert result(engine, "typed.later_total", numbers=[TWO, 1]) == 3
    assert result(engine, "typed.later_total", start=5, numbers=[TWO]) == 7
    text = result(engine, "typed.listed", first="a", rest=["b", "c"], end="!", named={"y": 1, "x": "2"})
    assert text == "a b c y=1 x=2!"
    assert result(engine, "typed.listed", first="a", named={"x": 1}) == "a x=1."


def test_an_object_that_could_be_an_escape_is_escaped(engine: Engine) -> None:
    assert result(engine, "typed.listed", first="a", named={"value": 1}) == "a value=1."
    assert result(engine, "typed.listed", first="a", named={"value": {"value": 1}}) == "a value=1."


@pytest.mark.parametrize(
    ("inputs", "places"),
    [
        (
            {"numbers": [1, 11, "x", {"from": "zz"}, {"a": 1}, [TWO]]},
            [f"numbers[{i}]" for i in (1, 2, 3, 4, 5)],
        ),
        ({"numbers": 1}, ["numbers"]),
        ({"numbers": TWO}, ["numbers"]),
        ({"number": []}, ["number"]),
    ],
    ids=repr,
)
def test_problems_of_a_list_have_precise_places(
    engine: Engine, inputs: dict[str, Any], places: list[str]
) -> None:
    found = problems(engine, "typed.total", **inputs)
    assert [problem.input for problem in found] == places
    assert {problem.node for problem in found} == {"node"}


@pytest.mark.parametrize(
    ("named", "places"),
    [
        ({"a": 1, "b": 1.5, "c": TWO}, ["named.b", "named.c"]),
        ({"first": 1}, ["named.first"]),
        ({"": 1}, ["named"]),
        ([1], ["named"]),
        (TWO, ["named"]),
    ],
    ids=repr,
)
def test_problems_of_an_object_have_precise_places(engine: Engine, named: Any, places: list[str]) -> None:
    assert [problem.input for problem in problems(engine, "typed.listed", first="a", named=named)] == places


def test_a_linked_value_out_of_range_is_named_when_it_comes(engine: Engine) -> None:
    document = of("typed.total", numbers=[1, TWO])
    document["nodes"]["two"]["inputs"]["value"] = 20
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(document)
    (failure,) = caught.value.failures
    assert failure.problem.input == "numbers[1]"


def keys(engine: Engine, type_: str, **inputs: Any) -> str | None:
    return engine.plan(of(type_, **inputs)).entries["node"].key


def test_the_order_of_a_list_counts_and_that_of_names_does_not(engine: Engine) -> None:
    base = keys(engine, "typed.total", numbers=[1, TWO])
    assert keys(engine, "typed.total", numbers=[1.0, TWO]) == base
    assert keys(engine, "typed.total", numbers=[TWO, 1]) != base
    assert keys(engine, "typed.total", numbers=[1, THREE]) != base
    named = keys(engine, "typed.listed", first="a", named={"x": 1, "y": 2})
    assert keys(engine, "typed.listed", first="a", named={"y": 2, "x": 1}) == named
    assert keys(engine, "typed.listed", first="a", named={"x": 2, "y": 1}) != named


def test_growing_inputs_may_be_lazy(engine: Engine) -> None:
    run = engine.run_sync(of("typed.first", branches=[TWO, THREE]))
    assert run.outputs["result"] == 2
    assert "three" not in run.outcomes("ran")
    assert result(engine, "typed.first", branches=[7, THREE]) == 7


def test_a_muted_value_leaves_the_list(engine: Engine) -> None:
    document = of("typed.total", numbers=[1, TWO, THREE])
    document["nodes"]["two"]["mode"] = "mute"
    assert engine.run_sync(document).outputs["result"] == 4


def test_a_bypassed_node_hands_on_its_first_fitting_value(engine: Engine) -> None:
    document = of("typed.total", numbers=[1, TWO, THREE])
    document["nodes"]["node"]["mode"] = "bypass"
    assert engine.run_sync(document).outputs["result"] == 2


def test_a_named_input_may_feed_all_values_at_once(engine: Engine) -> None:
    document = {**of("typed.total"), "inputs": {"numbers": {"to": ["node.numbers"]}}}
    assert engine.run_sync(document, numbers=[1, 2]).outputs["result"] == 3
    (problem,) = engine.check(document, numbers=5)
    assert problem.code == "wrong_type"
    document = {**of("typed.listed", first="a"), "inputs": {"named": {"to": ["node.named"]}}}
    assert engine.run_sync(document, named={"x": 1}).outputs["result"] == "a x=1."


def test_the_schema_says_what_each_value_may_be(engine: Engine) -> None:
    inputs = engine.registry.nodes["typed.total"].to_json()["inputs"]
    assert inputs["numbers"] == {
        "required": False,
        "schema": {
            "type": "array",
            "x-growing": "list",
            "items": {"type": "number", "minimum": -10, "maximum": 10, "x-socket": {"type": "float"}},
        },
    }
    named = engine.registry.nodes["typed.listed"].to_json()["inputs"]["named"]["schema"]
    assert (named["type"], named["x-growing"]) == ("object", "named")


def test_the_builder_records_growing_inputs() -> None:
    g = Graph()
    two = g(number)(2)
    g(total)(1, two)
    g(listed)("a", "b", named=1, value=2)
    nodes = g.document().nodes
    assert nodes["typed_total"].inputs == {"numbers": [1, {"from": "typed_number"}]}
    assert nodes["typed_listed"].inputs == {"first": "a", "rest": ["b"], "named": {"named": 1, "value": 2}}


VALUES = st.integers(-3, 3) | st.just("link")


@given(
    st.lists(VALUES, max_size=4), st.dictionaries(st.sampled_from(["a", "b", "value"]), VALUES, max_size=3)
)
def test_built_and_exported_growing_inputs_are_the_same(
    engine: Engine, numbers: list[Any], named: dict[str, Any]
) -> None:
    g = Graph()
    two = g(number)(2)
    given = [two if value == "link" else value for value in numbers]
    g(total)(*given)
    if given:
        g(later_total)(two, *given)
        g(first_of)(*map(g.lazy, given))
    names: dict[str, Any] = {name: two if value == "link" else value for name, value in named.items()}
    g(listed)("a", "b", end="", **names)
    document = g.document()
    code = to_python(document, engine.registry)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - that it can be executed is the test
    assert namespace["document"].to_json() == document.to_json()
    assert "g.raw" not in code
    assert "g.link" not in code


def test_a_context_may_be_given_by_position_beside_named_values(tmp_path: Path) -> None:
    @node("test.told", lane="inline")
    def told(ctx: Context, /, first: str, *rest: str, **named: str) -> str:
        """Tell what was given, and where."""
        return " ".join([ctx.node, first, *rest, *(f"{name}={value}" for name, value in named.items())])

    class Pack:
        """The pack as an object."""

        @hookimpl
        def register_nodes(self) -> list[object]:
            return [told]

    with Engine(tmp_path, packs=load_packs(extra=[("told", Pack())], installed=False)) as engine:
        for given, text in [
            ({"first": "a"}, "node a"),
            ({"first": "a", "rest": ["b"]}, "node a b"),
            ({"first": "a", "named": {"ctx_": "c"}}, "node a ctx_=c"),
            ({"first": "a", "rest": ["b"], "named": {"x": "c"}}, "node a b x=c"),
        ]:
            document = workflow({"node": ("test.told", given)}, outputs={"result": {"from": "node"}})
            assert engine.run_sync(document).outputs["result"] == text
