"""Subgraphs built in Python: recorded as definitions, used as nodes and as bodies, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import Field

import nodegraph_nodes
from nodegraph import Choice, Graph, Seed
from nodegraph.engine import Engine
from nodegraph.errors import DeclarationError, InputError
from nodegraph.packs import load_packs
from nodegraph.runtime import Lazy
from nodegraph_nodes import nodes
from tests.graph.typed_nodes import Parts, TypedPack, add, number, parts


class Step(NamedTuple):
    state: float
    again: bool


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    packs = load_packs(extra=[("builtin", nodegraph_nodes), ("typed", TypedPack())], installed=False)
    with Engine(tmp_path, packs=packs) as engine:
        yield engine


def plus(s: Graph, item: float, by: Annotated[float, Field(description="how much")] = 1) -> float:
    return s(add)(item, by)


def split(s: Graph, item: float) -> Parts:
    return s(parts)(item, by=2)


def halve(s: Graph, state: float) -> Step:
    half = s(nodes.math_calculate)(state, 2.0, how="÷")
    return Step(half, s(nodes.logic_compare)(half, 1.0, how="greater"))


def test_a_function_is_a_definition() -> None:
    g = Graph()
    added = g.subgraph(plus)
    g.output("sum", g(added, id="top", title="Top")(g(number)(2.0), by=3))
    assert g.document().to_json() == {
        "nodegraph": 1,
        "nodes": {
            "typed_number": {"type": "typed.number", "inputs": {"value": 2.0}},
            "top": {"type": "#plus", "title": "Top", "inputs": {"item": {"from": "typed_number"}, "by": 3}},
        },
        "outputs": {"sum": {"from": "top"}},
        "subgraphs": {
            "plus": {
                "inputs": {
                    "item": {"type": "float"},
                    "by": {"type": "float", "default": 1, "help": "how much"},
                },
                "outputs": {"result": {"type": "float", "from": "typed_add"}},
                "nodes": {
                    "typed_add": {
                        "type": "typed.add",
                        "inputs": {"a": {"input": "item"}, "b": {"input": "by"}},
                    }
                },
            }
        },
    }


def test_inlined_and_as_a_body_it_runs(engine: Engine) -> None:
    g = Graph()
    added = g.subgraph(plus)
    g.output("once", g(added)(2.0))
    g.output("each", g(nodes.logic_for_each)(added, items=[1.0, 2.0], mode="product", by=[10, 20]))
    assert engine.run_sync(g.document()).outputs == {"once": 3.0, "each": [11.0, 21.0, 12.0, 22.0]}


def test_several_outputs_are_a_named_tuple(engine: Engine) -> None:
    g = Graph()
    whole, rest = g(g.subgraph(split))(7.5)
    g.output("whole", whole)
    g.output("rest", rest)
    g.output("end", g(nodes.logic_while)(g.subgraph(halve), initial=20.0))
    assert engine.run_sync(g.document()).outputs == {"whole": 3, "rest": 1.5, "end": 0.625}


def test_options_and_other_bodies(engine: Engine) -> None:
    g = Graph()

    @g.subgraph(name="sum up", output="state", title="Sum", version=2)
    def total(s: Graph, state: float, item: float) -> float:
        return s(add)(state, item)

    g.output("sum", g(nodes.logic_fold)(total, items=[1.0, 2.0, 3.0], initial=0.5))
    g.output("one", g(total)(1.0, 2.0))
    data = g.document().to_json()
    assert {key: data["subgraphs"]["sum up"][key] for key in ("title", "version")} == {
        "title": "Sum",
        "version": 2,
    }
    assert data["nodes"]["sum_up"] == {"type": "#sum up", "inputs": {"state": 1.0, "item": 2.0}, "version": 2}
    assert engine.run_sync(g.document()).outputs == {"sum": 6.5, "one": 3.0}


def test_subgraphs_use_each_other(engine: Engine) -> None:
    g = Graph()
    added = g.subgraph(plus)

    @g.subgraph
    def rows(s: Graph, item: float) -> list[float]:
        twice = s(added)(s(added)(item), by=item)
        return s(nodes.logic_for_each)(
            added, items=[1.0, 2.0], mode="broadcast", by=s(nodes.list_make)(twice)
        )

    g.output("rows", g(nodes.logic_for_each)(rows, items=[1.0, 2.0]))
    assert engine.run_sync(g.document()).outputs == {"rows": [[4.0, 5.0], [6.0, 7.0]]}


def test_every_kind_of_input_is_written_as_documents_write_it() -> None:
    g = Graph()

    @g.subgraph
    def kinds(
        s: Graph,
        *,
        seed: Seed = 3,
        own: Annotated[Seed, Field(description="mine")],
        many: list[int],
        menu: Literal["a", "b"] = "a",
        sampler: Annotated[str, Choice("samplers")] = "x",
        maybe: float | None = None,
    ) -> float:
        return s(number)()

    definition = g.document().to_json()["subgraphs"]["kinds"]
    assert definition["inputs"] == {
        "seed": {"type": "seed", "default": 3},
        "own": {"type": "seed", "help": "mine"},
        "many": {"type": {"type": "list", "item": {"type": "int"}}},
        "menu": {"type": {"type": "menu", "options": ["a", "b"]}, "default": "a"},
        "sampler": {"type": {"type": "choice", "registry": "samplers"}, "default": "x"},
        "maybe": {"type": {"type": "optional", "item": {"type": "float"}}, "default": None},
    }


def test_a_node_known_by_its_id_may_be_returned() -> None:
    g = Graph()

    @g.subgraph
    def unknown(s: Graph, item: float) -> float:
        value: float = s.node("unknown.type")(number=item)
        return value

    definition = g.document().to_json()["subgraphs"]["unknown"]
    assert definition["outputs"] == {"result": {"type": "float", "from": "unknown_type"}}
    assert g(unknown)(1.0) is not None


def test_without_inputs_or_outputs() -> None:
    g = Graph()

    @g.subgraph
    def nothing(s: Graph) -> None:
        s(number)()

    assert g(nothing)() is None
    assert g.document().to_json()["subgraphs"]["nothing"] == {
        "nodes": {"typed_number": {"type": "typed.number"}}
    }


def test_a_definition_may_be_written_as_it_stands() -> None:
    g = Graph()
    g.raw_subgraph("raw", {"nodes": {}, "colour": "red"})
    g.field("subgraphs", {"older": {"nodes": {}}})
    assert set(g.document().subgraphs) == {"older", "raw"}


def bad_argument(s: Graph, item: float) -> float:
    return item


def bad_value(s: Graph, item: float) -> float:
    return 1.0


def bad_tuple(s: Graph, item: float) -> Step:
    return s(number)()  # type: ignore[return-value] # refused when it is recorded


def bad_output(s: Graph, item: float) -> float:
    s.output("x", s(number)())
    return s(number)()


def bad_input(s: Graph, item: float) -> float:
    return s(number)(s.input("x", 1.0))


def bad_field(s: Graph, item: float) -> float:
    s.field("view", {})
    return s(number)()


def bad_kind(s: Graph, *items: float) -> float:
    return s(number)()


def bad_lazy(s: Graph, item: Lazy[float]) -> float:
    return s(number)()


def no_graph() -> float:
    return 1.0


def no_annotation(s, item):  # type: ignore[no-untyped-def] # as people write it
    return item


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (bad_argument, InputError, "returns its input 'item' as it is"),
        (bad_value, InputError, "the output of a node"),
        (bad_tuple, InputError, "a tuple of state, again"),
        (bad_output, InputError, "no named outputs"),
        (bad_input, InputError, "no named inputs"),
        (bad_field, InputError, "no fields"),
        (bad_kind, DeclarationError, "'items' cannot be the input"),
        (bad_lazy, DeclarationError, "cannot be a socket"),
        (no_graph, DeclarationError, "takes its graph first"),
        (no_annotation, DeclarationError, "no annotation"),
    ],
)
def test_what_is_no_definition_is_refused(
    function: Callable[..., Any], error: type[Exception], words: str
) -> None:
    g = Graph()
    with pytest.raises(error) as caught:
        g.subgraph(function)
    assert words in str(caught.value)
    assert "subgraphs" not in g.document().to_json()


def test_values_of_another_graph_are_refused() -> None:
    g, other = Graph(), Graph()
    outside = g(number)()
    added = other.subgraph(plus)
    with pytest.raises(InputError, match="another graph"):
        g(added)(1.0)
    with pytest.raises(InputError, match="another graph"):
        g(nodes.logic_for_each)(added, items=[1.0])
    for wrong in (lambda s: outside, lambda s: s(number)(outside)):
        wrong.__annotations__ = {"return": float}
        with pytest.raises(InputError, match="another graph"):
            g.subgraph(name="wrong")(wrong)


def test_a_name_is_taken_once_and_a_subgraph_is_not_called() -> None:
    g = Graph()
    added = g.subgraph(plus)
    with pytest.raises(InputError, match="two subgraphs 'plus'"):
        g.subgraph(plus)
    with pytest.raises(TypeError, match=r"g\(plus\)"):
        added(1.0)
    with pytest.raises(TypeError, match="missing a required argument: 'item'"):
        g(added)()  # type: ignore[call-arg] # refused by Python, too
