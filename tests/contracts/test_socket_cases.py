"""Which links fit, and why: one table of cases for the engine and the editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pytest
from pydantic import BaseModel, Field

from nodegraph import Body, Choice, File, Image, Mask, OneOrMany, Seed, node, sockets, values
from nodegraph.declare import node_type
from nodegraph.graph.generics import DisagreementError, Solution, substitute, unify
from nodegraph.runtime import Lazy
from nodegraph.sockets import SocketType, assignable, from_json

TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("socket_cases.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = [case for group in TABLE["links"] for case in group["cases"]]
KINDS = [
    kind
    for kind in vars(sockets).values()
    if isinstance(kind, type) and issubclass(kind, SocketType) and kind is not SocketType
]
T = TypeVar("T")
U = TypeVar("U")


class Resize(BaseModel, frozen=True):
    """One kind of record."""

    kind: Literal["resize"] = "resize"


class Crop(BaseModel, frozen=True):
    """Another kind."""

    kind: Literal["crop"] = "crop"


CLASSES: dict[str, type] = {
    sockets.ValueType(cls).name: cls
    for cls in (
        values.Image, values.Mask, values.Latent, values.Recipe, values.Model, values.Vae, Resize, Crop,
    )
}  # fmt: skip


@node("test.number_like")
def number_like(
    width: Annotated[int, Field(ge=16, le=512)],
    seed: Seed,
    mode: Literal["a", "b"],
    sampler: Annotated[str, Choice("samplers")],
    file: Annotated[str, File("images")],
    size: int | str,
    numbers: list[float],
) -> None:
    """Inputs that are written."""


@node("test.linked")
def linked(image: Image, mask: Mask | None = None) -> None:
    """Inputs that are linked."""


@node("test.growing")
def growing(*images: Image, **values: float) -> None:
    """Inputs that grow."""


@node("test.wrapping")
def wrapping(numbers: Annotated[list[float], OneOrMany()]) -> None:
    """A list that also takes one value."""


@node("test.record")
def record(mode: Resize) -> None:
    """A record."""


@node("test.variant")
def variant(mode: Annotated[Resize | Crop, Field(discriminator="kind")]) -> None:
    """One of two records."""


@node("test.generic")
async def generic(
    value: T, then: Lazy[T], body: Annotated[str, Body({"item": T, "index": int}, {"result": U})]
) -> U:
    """Types that are only known in a graph."""
    raise NotImplementedError


@node("test.branch")
async def branch(then: Lazy[Image]) -> None:
    """A branch that runs when it is asked for."""


DECLARED = (number_like, linked, growing, wrapping, record, variant, generic, branch)


def read(data: dict[str, Any]) -> SocketType:
    return from_json(data, CLASSES)


def kinds_in(type_: SocketType) -> set[type[SocketType]]:
    match type_:
        case sockets.ListType(item) | sockets.OptionalType(item):
            return {type(type_)} | kinds_in(item)
        case sockets.UnionType(options):
            return {type(type_)}.union(*map(kinds_in, options))
    return {type(type_)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['source']} into {case['target']}")
def test_the_table_says_whether_a_link_fits_and_why(case: dict[str, Any]) -> None:
    verdict = assignable(read(case["source"]), read(case["target"]))
    assert (verdict.ok, verdict.reason) == (case["ok"], case["reason"])


@pytest.mark.parametrize("side", ["source", "target"])
def test_every_type_in_the_table_survives_its_json_form(side: str) -> None:
    for case in CASES:
        assert read(case[side]).to_json() == case[side]


def test_no_link_is_in_the_table_twice() -> None:
    links = [json.dumps([case["source"], case["target"]], sort_keys=True) for case in CASES]
    assert len(set(links)) == len(links)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("side", ["source", "target"])
def test_every_kind_of_type_is_accepted_and_refused_on_both_sides(kind: type[SocketType], side: str) -> None:
    """A type variable by itself takes anything; inside another type it may be refused."""
    alone = kind is not sockets.GenericType
    sides = [(read(case[side]), case["ok"]) for case in CASES]
    found = {ok for type_, ok in sides if (isinstance(type_, kind) if alone else kind in kinds_in(type_))}
    assert found == {True, False}


def test_value_classes_have_the_parents_that_the_table_says() -> None:
    for name, parents in TABLE["value_classes"].items():
        real = {other for other, cls in CLASSES.items() if cls in CLASSES[name].__mro__[1:]}
        assert set(parents) == real
    assert set(TABLE["value_classes"]) == set(CLASSES)


def test_every_form_of_input_is_judged_by_the_type_that_the_table_says() -> None:
    """By name and type, in the schema that an editor gets."""
    found = []
    for marked in DECLARED:
        for spec in node_type(marked).inputs.values():
            schema = spec.schema
            place = {None: schema, "list": schema.get("items"), "named": schema.get("additionalProperties")}
            inner = place[schema.get("x-growing")]
            assert isinstance(inner, dict)
            found.append((spec.name, schema.get("x-growing"), json.dumps(inner["x-socket"])))
    expected = [
        (row["declared"].partition(":")[0].lstrip("*"), row["growing"], json.dumps(row["target"]))
        for row in TABLE["inputs"]
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("row", TABLE["variables"], ids=lambda row: f"{row['patterns']} of {row['given']}")
def test_type_variables_are_solved_as_the_table_says(row: dict[str, Any]) -> None:
    patterns = [read(data) for data in row["patterns"]]
    given = [read(data) for data in row["given"]]
    solution: Solution = {}
    if row["solved"] is None:
        with pytest.raises(DisagreementError) as caught:
            solve(patterns, given, solution)
        assert str(caught.value) == row["reason"]
        return
    solve(patterns, given, solution)
    assert {name: type_.to_json() for name, type_ in solution.items()} == row["solved"]
    for one, pattern in zip(given, patterns, strict=True):
        assert assignable(one, substitute(pattern, solution)).ok


def solve(patterns: list[SocketType], given: list[SocketType], solution: Solution) -> None:
    for pattern, one in zip(patterns, given, strict=True):
        unify(pattern, one, solution)


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(ValueError, match="'spaceship'"):
        read({"type": "spaceship"})
