"""Socket types: laws of assignability, and which values a type holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.sockets import (
    ChoiceType,
    FileType,
    ListType,
    Menu,
    OptionalType,
    Scalar,
    SocketType,
    UnionType,
    ValueType,
    assignable,
    from_json,
)
from nodegraph.values import Image, Mask, Model, Recipe, TextEncoder

PLAIN: list[SocketType] = [
    Scalar("bool"), Scalar("int"), Scalar("float"), Scalar("text"), Menu(("a", "b")), Menu(("a",)),
    Menu((1, 2)), ChoiceType("samplers"), FileType("loras"), ValueType(Image), ValueType(Mask),
    ValueType(Model), ValueType(Recipe),
]  # fmt: skip
CLASSES = {"image": Image, "mask": Mask, "model": Model, "recipe": Recipe}


def _wider(inner: st.SearchStrategy[SocketType]) -> st.SearchStrategy[SocketType]:
    unions = st.lists(inner, min_size=2, max_size=3, unique=True)
    return inner.map(ListType) | inner.map(OptionalType) | unions.map(lambda items: UnionType(tuple(items)))


TYPES = st.recursive(st.sampled_from(PLAIN), _wider, max_leaves=4)


@given(TYPES)
def test_every_type_fits_itself(type_: SocketType) -> None:
    assert assignable(type_, type_).ok


@given(TYPES)
def test_every_type_fits_its_optional_form_and_not_back(type_: SocketType) -> None:
    assert assignable(type_, OptionalType(type_)).ok


@given(TYPES, TYPES, TYPES)
def test_what_fits_an_option_fits_the_union(
    source: SocketType, target: SocketType, other: SocketType
) -> None:
    if assignable(source, target).ok and not isinstance(source, OptionalType):
        assert assignable(source, UnionType((other, target))).ok


@given(TYPES, TYPES)
def test_lists_fit_as_their_items_do(source: SocketType, target: SocketType) -> None:
    assert assignable(ListType(source), ListType(target)).ok == assignable(source, target).ok


@given(TYPES, TYPES)
def test_every_verdict_has_a_reason(source: SocketType, target: SocketType) -> None:
    assert assignable(source, target).reason


@given(TYPES)
def test_every_type_survives_its_json_form(type_: SocketType) -> None:
    assert from_json(type_.to_json(), CLASSES) == type_


@pytest.mark.parametrize(
    ("type_", "held", "refused"),
    [
        (Scalar("bool"), [True], [0, 1, "true", None]),
        (Scalar("int"), [0, -(2**70)], [True, 1.0, "1", None]),
        (Scalar("float"), [0, 1.5], [True, "1", None]),
        (Scalar("text"), ["", "a"], [1, b"a", None]),
        (Menu(("a", 1)), ["a", 1], ["b", 2, None]),
        (ChoiceType("samplers"), ["euler"], [1, None]),
        (FileType("loras"), ["a.safetensors"], [1, None]),
        (ListType(Scalar("int")), [[], [1], (1, 2)], [1, ["a"], None]),
        (OptionalType(Scalar("int")), [None, 1], ["a"]),
        (UnionType((Scalar("int"), Scalar("text"))), [1, "a"], [None, 1.5]),
    ],
)
def test_a_type_holds_its_values_only(type_: SocketType, held: list[Any], refused: list[Any]) -> None:
    assert all(type_.holds(value) for value in held)
    assert not any(type_.holds(value) for value in refused)


def test_value_classes_are_named_in_snake_case() -> None:
    assert ValueType(TextEncoder).name == "text_encoder"
    assert ValueType(TextEncoder).words == "text encoder"
