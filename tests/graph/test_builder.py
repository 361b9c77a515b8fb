"""Workflows built in Python: what is recorded, what is refused, and that it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nodegraph import Graph
from nodegraph.engine import Engine
from nodegraph.errors import DeclarationError, InputError, WorkflowError
from nodegraph.packs import load_packs
from tests.graph.typed_nodes import TypedPack, add, later, measure, number, parts, show


def example() -> Graph:
    g = Graph("example")
    start = g.input("start", 7.0, help="where to start")
    whole, rest = g(parts)(start, by=2)
    g(show)(g(add)(whole, rest))
    g.output("sum", g(later, id="sum", title="Sum")(g(add)(whole, start)))
    return g


def test_calls_are_recorded_as_a_document() -> None:
    assert example().document().to_json() == {
        "nodegraph": 1,
        "name": "example",
        "nodes": {
            "typed_parts": {"type": "typed.parts", "inputs": {"number": 7.0, "by": 2}},
            "typed_add": {
                "type": "typed.add",
                "inputs": {"a": {"from": "typed_parts.whole"}, "b": {"from": "typed_parts.rest"}},
            },
            "typed_show": {"type": "typed.show", "inputs": {"number": {"from": "typed_add"}}},
            "typed_add_2": {
                "type": "typed.add", "inputs": {"a": {"from": "typed_parts.whole"}, "b": 7.0},
            },
            "sum": {
                "type": "typed.later", "title": "Sum", "inputs": {"number": {"from": "typed_add_2"}},
            },
        },
        "inputs": {"start": {"to": ["typed_parts.number", "typed_add_2.b"], "help": "where to start"}},
        "outputs": {"sum": {"from": "sum"}},
    }  # fmt: skip


def test_a_built_workflow_runs(tmp_path: Any) -> None:
    packs = load_packs(extra=[("typed", TypedPack())], installed=False)
    with Engine(tmp_path, packs=packs) as engine:
        assert engine.run_sync(example().document(), targets=["sum"]).outputs == {"sum": 10.0}
        assert engine.run_sync(example().document(), targets=["sum"], start=9.0).outputs == {"sum": 13.0}


def test_a_tuple_of_one_output_is_linked_without_its_name() -> None:
    g = Graph()
    g(add)(a=g(measure)("word").length)
    assert g.document().nodes["typed_add"].inputs == {"a": {"from": "typed_measure"}}


def test_nodes_may_be_known_by_their_ids_only() -> None:
    g = Graph()
    halves = g.node("toy.halve", version=3)(number=5)
    g.output("rest", g.node("toy.total", mode="mute")(a=halves.rest, b=halves, c={"from": "x"}, d={"e": 1}))
    data = g.document().to_json()
    assert data["nodes"]["toy_halve"] == {"type": "toy.halve", "inputs": {"number": 5}, "version": 3}
    assert data["nodes"]["toy_total"]["mode"] == "mute"
    assert data["nodes"]["toy_total"]["inputs"] == {
        "a": {"from": "toy_halve.rest"},
        "b": {"from": "toy_halve"},
        "c": {"value": {"from": "x"}},
        "d": {"e": 1},
    }


def test_what_the_builder_has_no_words_for_is_written_as_it_stands() -> None:
    g = Graph()
    first = g.raw("first", {"type": "toy.number", "colour": "red"})
    g(add, id="sum")(first, g.link("later.out"))
    g.raw("later", {"type": "unknown"})
    g.feeds("value", "first.value")
    g.field("view", {"zoom": 2})
    data = g.document().to_json()
    assert data["nodes"]["first"] == {"type": "toy.number", "colour": "red"}
    assert data["nodes"]["sum"]["inputs"] == {"a": {"from": "first"}, "b": {"from": "later.out"}}
    assert data["inputs"] == {"value": {"to": ["first.value"]}}
    assert data["view"] == {"zoom": 2}


def test_two_graphs_do_not_see_each_other() -> None:
    one, two = Graph(), Graph()
    value = one(number)(1.0)
    assert two(number)(1.0) is not value
    with pytest.raises(InputError, match="another graph"):
        two(add)(value)
    with pytest.raises(InputError, match="another graph"):
        two(add)(one.input("x", 1.0))


def twice(g: Graph) -> None:
    g(number, id="a")()
    g(number, id="a")()


def inputs_twice(g: Graph) -> None:
    g.input("a", 1)
    g.feeds("a")


def outputs_twice(g: Graph) -> None:
    value = g(number)()
    g.output("a", value)
    g.output("a", value)


def inside(g: Graph) -> None:
    g.node("toy.sum_list")(numbers=[[g(number)()]])


def whole_tuple(g: Graph) -> None:
    g.node("typed.add")(a=g(parts)(1.0))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (twice, "two nodes 'a'"),
        (inputs_twice, "two named inputs 'a'"),
        (outputs_twice, "two named outputs 'a'"),
        (inside, "stands inside another value"),
        (whole_tuple, "Choose one output: .whole, .rest."),
        (lambda g: g.node("typed.add")(a=object()), "a object cannot be written"),
        (lambda g: g.output("a", 1.0), "is not the output of a node"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_be_written_is_refused(build: Callable[[Graph], object], words: str) -> None:
    with pytest.raises(InputError) as caught:
        build(Graph())
    assert words in caught.value.describe()


def test_wrong_calls_are_refused_as_python_does() -> None:
    g = Graph()
    wrong: Any = g(add)
    with pytest.raises(TypeError, match=r"add\(\): missing a required argument: 'a'"):
        wrong()
    with pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
        wrong(1.0, c=1.0)
    with pytest.raises(DeclarationError, match="is not a node"):
        g(len)([])


def test_outputs_have_no_value_yet() -> None:
    g = Graph()
    value = g(number)()
    with pytest.raises(TypeError, match="no value before the workflow runs"):
        bool(value)
    with pytest.raises(AttributeError, match="no value before the workflow runs"):
        value.real  # noqa: B018 - reading it is the test
    with pytest.raises(TypeError, match="no value before"):
        bool(g.input("x", 1.0))
    with pytest.raises(AttributeError):
        g.node("x")().__deepcopy__  # noqa: B018 - as above


def test_bad_ids_are_refused_by_the_document() -> None:
    g = Graph()
    g(number, id="1a")()
    with pytest.raises(WorkflowError, match="'1a' is not a node id"):
        g.document()
