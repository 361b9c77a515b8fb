"""Records as inputs: one frozen model, or several that a field tells apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from nodegraph import Graph, OneOrMany, node
from nodegraph.declare import node_type
from nodegraph.engine import Engine
from nodegraph.errors import DeclarationError
from nodegraph.packs import load_packs
from tests.graph.typed_nodes import Crop, Mode, Resize, TypedPack, average, resize, transform
from tests.toy import workflow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("data")
    packs = load_packs(extra=[("typed", TypedPack())], installed=False)
    with Engine(folder, packs=packs) as engine:
        yield engine


def of(type_: str, **inputs: Any) -> dict[str, Any]:
    nodes = {"two": ("typed.number", {"value": 2})}
    return workflow({**nodes, "node": (type_, inputs)}, outputs={"result": {"from": "node"}})


def result(engine: Engine, type_: str, **inputs: Any) -> Any:
    return engine.run_sync(of(type_, **inputs)).outputs["result"]


def test_a_record_reaches_the_function_as_its_model(engine: Engine) -> None:
    text = result(engine, "typed.transform", mode={"kind": "resize", "width": 5})
    assert text == f"{Resize(width=5)!r} None"
    crop = {"kind": "crop", "edges": [1, 2]}
    text = result(engine, "typed.transform", mode=crop, then={"value": {"kind": "resize", "width": 5.0}})
    assert text == f"{Crop(edges=(1, 2))!r} {Resize(width=5)!r}"
    assert result(engine, "typed.resize") == 8
    assert result(engine, "typed.resize", to={"width": 4, "scale": 2}) == 8


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ({"kind": "resize", "width": 101}, [("mode.width", "out_of_range")]),
        ({"kind": "resize"}, [("mode.width", "missing_field")]),
        ({"kind": "resize", "width": 1.5}, [("mode.width", "wrong_type")]),
        (
            {"kind": "resize", "scale": "1", "hight": 1},
            [("mode.width", "missing_field"), ("mode.scale", "wrong_type"), ("mode.hight", "unknown_input")],
        ),
        ({"kind": "crop", "edges": [1, "x"]}, [("mode.edges[1]", "wrong_type")]),
        ({"kind": "crop", "width": 5}, [("mode.width", "unknown_input")]),
        ({"kind": "blur"}, [("mode.kind", "not_in_menu")]),
        ({"width": 5}, [("mode.kind", "missing_field")]),
        ("resize", [("mode", "wrong_type")]),
        ({"kind": "resize", "width": {"from": "two"}}, [("mode.width", "wrong_type")]),
        ({"from": "two"}, [("mode", "wrong_type")]),
    ],
    ids=repr,
)
def test_every_problem_has_its_place(engine: Engine, mode: Any, found: list[tuple[str, str]]) -> None:
    problems = engine.check(of("typed.transform", mode=mode))
    assert [(problem.input, problem.code) for problem in problems] == found
    assert all(problem.describe() for problem in problems)


def test_a_misspelt_field_gets_a_suggestion(engine: Engine) -> None:
    (problem,) = engine.check(of("typed.resize", to={"width": 1, "scal": 2}))
    assert problem.describe() == (
        "node 'node', input 'to.scal': there is no such field. Did you mean 'scale'?"
    )


def key(engine: Engine, mode: Any) -> str | None:
    return engine.plan(of("typed.transform", mode=mode)).entries["node"].key


def test_keys_take_the_content_with_defaults_filled_in(engine: Engine) -> None:
    base = key(engine, {"kind": "resize", "width": 5})
    assert key(engine, {"scale": 1, "width": 5.0, "kind": "resize"}) == base
    assert key(engine, {"kind": "resize", "width": 6}) != base
    assert key(engine, {"kind": "crop"}) != base


def test_named_inputs_take_records(engine: Engine) -> None:
    document = {**of("typed.resize"), "inputs": {"to": {"to": ["node.to"]}}}
    result = engine.run_sync(document, to={"width": 3})
    assert result.outputs["result"] == 3
    assert result.record.inputs == {"to": {"width": 3}}
    assert engine.run_sync(document).record.inputs == {"to": {"kind": "resize", "width": 8, "scale": 1.0}}
    (problem,) = engine.check(document, to={"width": 0})
    assert problem.input == "to.width"


def test_the_schema_has_the_discriminator() -> None:
    inputs = node_type(transform).to_json()["inputs"]
    schema = inputs["mode"]["schema"]
    assert schema["discriminator"]["propertyName"] == "kind"
    assert schema["x-socket"] == {
        "type": "variant", "options": ["resize", "crop"], "discriminator": "kind",
    }  # fmt: skip
    default = node_type(resize).to_json()["inputs"]["to"]["schema"]["default"]
    assert default == {"kind": "resize", "width": 8, "scale": 1.0}


def test_growing_records_keep_their_definitions_at_the_root(engine: Engine) -> None:
    @node("test.modes", lane="inline")
    def modes(*modes: Mode) -> int:
        return len(modes)

    schema = node_type(modes).to_json()["inputs"]["modes"]["schema"]
    assert schema["$defs"].keys() == {"Resize", "Crop"}


def test_the_builder_writes_records() -> None:
    g = Graph()
    g(transform)(Resize(width=5), then=Crop())
    assert g.document().nodes["typed_transform"].inputs == {
        "mode": {"kind": "resize", "width": 5, "scale": 1.0},
        "then": {"kind": "crop", "edges": [0, 0]},
    }


class Loose(BaseModel):
    kind: Literal["loose"] = "loose"


def test_what_is_no_variant_is_refused_where_it_is_declared() -> None:
    with pytest.raises(DeclarationError, match="not a frozen pydantic model"):

        @node("test.loose")
        def loose(mode: Loose) -> int:
            return 0

    with pytest.raises(DeclarationError, match="not a frozen pydantic model"):

        @node("test.either")
        def either(mode: Annotated[Resize | Loose, Field(discriminator="kind")]) -> int:
            return 0

    with pytest.raises(DeclarationError, match="tells the records of the union apart"):

        @node("test.any")
        def any_(mode: Resize | Crop) -> int:
            return 0


def test_one_value_is_a_list_of_one_where_declared(engine: Engine) -> None:
    assert result(engine, "typed.average", numbers=4) == 4
    assert result(engine, "typed.average", numbers=[4, 2]) == 3
    assert result(engine, "typed.average", numbers={"from": "two"}) == 2
    (problem,) = engine.check(of("typed.average", numbers="x"))
    assert problem.input == "numbers"
    schema = node_type(average).to_json()["inputs"]["numbers"]["schema"]
    assert schema["x-socket"] == {"type": "list", "item": {"type": "float"}, "wraps": True}


def test_only_lists_of_one_type_take_single_values() -> None:
    with pytest.raises(DeclarationError, match="OneOrMany"):

        @node("test.single")
        def single(number: Annotated[float, OneOrMany()]) -> float:
            return number

    with pytest.raises(DeclarationError, match="OneOrMany"):

        @node("test.nested")
        def nested(numbers: Annotated[list[list[float]], OneOrMany()]) -> float:
            return 0.0


def test_a_field_of_a_record_reads_an_input_of_its_subgraph(engine: Engine) -> None:
    definition = {
        "inputs": {"width": {"type": "float"}},
        "outputs": {"result": {"type": "text", "from": "node"}},
        "nodes": {
            "node": {
                "type": "typed.transform",
                "inputs": {"mode": {"kind": "resize", "width": {"input": "width"}}},
            }
        },
    }
    document = {
        "nodegraph": 1,
        "nodes": {"call": {"type": "#fit", "inputs": {"width": 7}}},
        "inputs": {"width": {"to": ["call.width"]}},
        "outputs": {"result": {"from": "call"}},
        "subgraphs": {"fit": definition},
    }
    assert engine.run_sync(document).outputs["result"] == f"{Resize(width=7)!r} None"
    assert engine.run_sync(document, width=9).outputs["result"] == f"{Resize(width=9)!r} None"
