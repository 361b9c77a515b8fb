"""Named inputs and seeds inside growing inputs and records: reached, checked, drawn, and written back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from nodegraph import Graph, Seed, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.graph.document import split_port
from nodegraph.graph.inputs import input_specs
from nodegraph.graph.members import port_of
from nodegraph.hookspecs import NodeMigration
from nodegraph.packs import load_packs
from tests.graph.typed_nodes import TypedPack, listed, number, total
from tests.toy import workflow


class Inner(BaseModel, frozen=True):
    """A record inside a record."""

    value: int = 1
    seed: Seed = 5


class Noise(BaseModel, frozen=True):
    """A record with a seed."""

    kind: Literal["noise"] = "noise"
    seed: Seed
    level: Annotated[float, Field(ge=0, le=1)] = 0.5
    inner: Inner = Inner()
    edges: tuple[int, int] = (0, 0)


class Flat(BaseModel, frozen=True):
    """Another kind."""

    kind: Literal["flat"] = "flat"
    colour: str = "red"


Kind = Annotated[Noise | Flat, Field(discriminator="kind")]


class SeedPack:
    """Nodes with seeds in every place."""

    @hookimpl
    def register_nodes(self) -> list[object]:
        @node("seeds.list", lane="inline")
        def seeds_list(*seeds: Seed) -> str:
            """Tell the seeds."""
            return json.dumps(seeds)

        @node("seeds.named", lane="inline")
        def seeds_named(**seeds: Seed) -> str:
            """Tell the seeds by name."""
            return json.dumps(seeds)

        @node("seeds.record", lane="inline", version=2)
        def seeds_record(kind: Kind, inner: Inner = Inner()) -> str:  # noqa: B008 - it is frozen
            """Tell the record."""
            return kind.model_dump_json()

        @node("seeds.records", lane="inline")
        def seeds_records(*kinds: Kind) -> str:
            """Tell the records."""
            return json.dumps([kind.model_dump() for kind in kinds])

        return [seeds_list, seeds_named, seeds_record, seeds_records]

    @hookimpl
    def register_migrations(self) -> list[NodeMigration]:
        return [NodeMigration("seeds.record", 1, renamed={"what": "kind"})]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("data")
    packs = load_packs(extra=[("typed", TypedPack()), ("seeds", SeedPack())], installed=False)
    with Engine(folder, packs=packs) as engine:
        yield engine


def of(type_: str, given: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    """A workflow of one node, beside a number 2, with named inputs by the places that they feed."""
    nodes = {"two": ("typed.number", {"value": 2}), "node": (type_, given)}
    named = {name: {"to": to if isinstance(to, list) else [to]} for name, to in inputs.items()}
    return workflow(nodes, outputs={"result": {"from": "node"}}, inputs=named)


def result(engine: Engine, document: dict[str, Any], **inputs: Any) -> Any:
    return engine.run_sync(document, **inputs).outputs["result"]


def told(engine: Engine, document: dict[str, Any], **inputs: Any) -> Any:
    return json.loads(result(engine, document, **inputs))


NOISE = {"kind": "noise", "seed": 1}


def test_a_value_of_a_list_is_fed(engine: Engine) -> None:
    document = of(
        "typed.total", {"numbers": [1, {"from": "two"}, 4]}, last="node.numbers[2]", middle="node.numbers[1]"
    )
    assert result(engine, document) == 7
    assert result(engine, document, last=5) == 8
    assert result(engine, document, middle=-1, last=5) == 5
    run = engine.run_sync(document, last=5)
    assert run.record.inputs == {"last": 5, "middle": {"from": "two"}}
    assert run.record.document["nodes"]["node"]["inputs"]["numbers"] == [1, {"from": "two"}, 5]


@pytest.mark.parametrize("given", [{"value": 1}, {"value": {"value": 1}}])
def test_a_value_by_name_is_fed(engine: Engine, given: dict[str, Any]) -> None:
    document = of("typed.listed", {"first": "a", "named": {**given}}, it="node.named.value")
    assert result(engine, document, it="b") == "a value=b."


def test_fields_of_records_are_fed_defaults_too(engine: Engine) -> None:
    document = of(
        "seeds.record", {"kind": NOISE}, level="node.kind.level", deep="node.kind.inner.value",
        edges="node.kind.edges", alone="node.inner.value",
    )  # fmt: skip
    found = told(engine, document, level=0.25, deep=7, edges=[1, 2], alone=3)
    assert (found["level"], found["inner"], found["edges"]) == (0.25, {"value": 7, "seed": 5}, [1, 2])
    record = engine.run_sync(document, deep=7).record
    assert record.inputs == {"level": 0.5, "deep": 7, "edges": [0, 0], "alone": 1}
    changed = engine.run_sync(document, alone=3).record.document["nodes"]["node"]["inputs"]
    assert changed["inner"] == {"value": 3, "seed": 5}


def test_a_record_in_a_list_is_fed_as_a_whole_and_by_field(engine: Engine) -> None:
    document = of(
        "seeds.records",
        {"kinds": [NOISE, {"kind": "flat"}]},
        whole="node.kinds[0]",
        colour="node.kinds[1].colour",
    )
    found = told(engine, document, whole={"kind": "flat", "colour": "blue"}, colour="green")
    assert [one["colour"] for one in found] == ["blue", "green"]


def test_values_are_checked_against_what_they_feed(engine: Engine) -> None:
    document = of("seeds.record", {"kind": NOISE}, level="node.kind.level", seed="node.kind.seed")
    found = engine.check(document, level=3, seed="no")
    assert [(problem.code, problem.input) for problem in found] == [
        ("out_of_range", "level"),
        ("wrong_type", "seed"),
    ]
    specs = input_specs(engine.load(document), engine.registry)
    assert (specs["seed"].is_seed, specs["level"].is_seed) == (True, False)


@pytest.mark.parametrize(
    ("type_", "given", "place", "words"),
    [
        ("typed.total", {"numbers": [1, 2]}, "node.numbers[2]", "numbers[1]"),
        ("typed.total", {}, "node.numbers[0]", "numbers"),
        ("typed.total", {"numbers": [1]}, "node.numbers.a", "numbers[0]"),
        ("typed.listed", {"first": "a", "named": {"red": 1}}, "node.named.rde", "'named.red'"),
        ("seeds.record", {"kind": NOISE}, "node.kind.levle", "'kind.level'"),
        ("seeds.record", {"kind": {"kind": "flat"}}, "node.kind.level", "kind.colour"),
        ("typed.number", {}, "node.value.x", "'value'"),
    ],
)
def test_a_member_that_is_not_there_is_a_problem(
    engine: Engine, type_: str, given: dict[str, Any], place: str, words: str
) -> None:
    (problem,) = engine.check(of(type_, given, it=place), it=1)
    assert (problem.code, problem.input) == ("unknown_input", "inputs.it")
    assert f"'{place}'" in problem.message
    assert words in (problem.remedy or "")


@pytest.mark.parametrize(
    "place",
    ["node.a[x]", "node.a[", "node.[0]", "node[0]", "node.a..b", "node.a[-1]", "node.a[99999999999]"],
)
def test_a_place_that_is_no_place_is_refused(engine: Engine, place: str) -> None:
    found = engine.check(of("typed.total", {}, it=place))
    assert [problem.code for problem in found] == ["bad_field"]


SEEDS: list[tuple[str, dict[str, Any]]] = [
    ("seeds.list", {"seeds": ["random", 3, {"value": "random"}]}),
    ("seeds.named", {"seeds": {"a": "random", "b": 3, "x.y z": "random"}}),
    ("seeds.record", {"kind": {"kind": "noise", "seed": "random", "inner": {"seed": "random"}}}),
    ("seeds.record", {"kind": {"value": {"kind": "noise", "seed": "random", "inner": {"seed": "random"}}}}),
    ("seeds.records", {"kinds": [{"kind": "noise", "seed": "random"}, {"kind": "noise", "seed": "random"}]}),
]


@pytest.mark.parametrize(("type_", "given"), SEEDS)
def test_random_seeds_are_drawn_wherever_they_stand(
    engine: Engine, type_: str, given: dict[str, Any]
) -> None:
    runs = [engine.run_sync(of(type_, given)) for _ in range(2)]
    written = [json.dumps(run.record.document["nodes"]["node"]) for run in runs]
    assert "random" not in "".join(written)
    assert written[0] != written[1]
    if type_ == "seeds.list":
        first, second, third = json.loads(runs[0].outputs["result"])
        assert second == 3
        assert first != third


def test_seeds_of_one_named_input_stay_in_step_across_members(engine: Engine) -> None:
    document = of("seeds.list", {"seeds": [1, 2, 3]}, seed=["node.seeds[0]", "node.seeds[2]"])
    first, second, third = told(engine, document, seed="random")
    assert first == third != 1
    assert second == 2


def test_random_is_drawn_inside_a_subgraph(engine: Engine) -> None:
    document = of("#sub", {})
    inner = {"one": {"type": "seeds.list", "inputs": {"seeds": ["random"]}}}
    document["subgraphs"] = {"sub": {"outputs": {"o": {"type": "text", "from": "one"}}, "nodes": inner}}
    assert told(engine, document) != told(engine, document)


def test_random_that_is_no_seed_is_refused_at_its_place(engine: Engine) -> None:
    (problem,) = engine.check(of("seeds.record", {"kind": {**NOISE, "level": "random"}}))
    assert problem.input == "kind.level"


def test_places_follow_an_input_that_is_renamed(engine: Engine) -> None:
    document = of("seeds.record", {"what": NOISE}, level="node.what.level")
    assert engine.load(document).to_json()["inputs"]["level"]["to"] == ["node.kind.level"]
    assert told(engine, document, level=0.75)["level"] == 0.75


def test_a_document_with_places_of_members_is_written_as_it_was_read(engine: Engine) -> None:
    document = of("typed.total", {"numbers": [1]}, it=["node.numbers[0]", "two.value"])
    assert engine.load(document).to_json() == document


def test_the_builder_feeds_members(engine: Engine) -> None:
    g = Graph()
    shared = g.input("it", 2.0)
    g.output("result", g(total, id="node")(1, shared, g(number)(shared)))
    g(listed)("a", x=g.input("text", "b"))
    document = g.document()
    assert document.inputs["it"].to == ["typed_number.value", "node.numbers[1]"]
    assert document.inputs["text"].to == ["typed_listed.named.x"]
    assert engine.run_sync(document, targets=["result"], it=3.0).outputs["result"] == 7


STEPS = st.lists(st.integers(0, 99) | st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True), max_size=4)


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True), STEPS)
def test_a_place_is_read_as_it_is_written(name: str, steps: list[Any]) -> None:
    assert split_port(port_of(name, tuple(steps))) == (name, tuple(steps))
