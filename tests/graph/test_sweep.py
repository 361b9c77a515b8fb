"""Axes as written, and the cells that they span."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.graph.inputs import input_specs
from nodegraph.graph.sweep import Axis, cells, columns, label, parse_axis
from tests.toy import Toy

DOCUMENT = {
    "nodegraph": 1,
    "nodes": {
        "shared": {"type": "toy.number", "inputs": {"value": 1}},
        "add": {"type": "toy.add", "inputs": {"a": {"from": "shared"}, "b": 1}},
        "seed": {"type": "toy.draw"},
    },
    "inputs": {"b": {"to": ["add.b"]}, "seed": {"to": ["seed.seed"]}},
    "outputs": {"sum": {"from": "add"}},
}


def axis(engine: Engine, text: str) -> Axis:
    return parse_axis(text, input_specs(engine.load(DOCUMENT), engine.registry))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("seed=1..4", (1, 2, 3, 4)),
        ("seed=3..1", (3, 2, 1)),
        ("seed=0..20..10", (0, 10, 20)),
        ("seed=7", (7,)),
        ("b=1,2.5", (1, 2.5)),
        ("b=1|2", (1, 2)),
        ("seed=random,3", ("random", 3)),
    ],
)
def test_axes_as_written(engine: Engine, text: str, values: tuple[object, ...]) -> None:
    assert axis(engine, text).values == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed", "is not an axis"),
        ("seed=", "is not an axis"),
        ("sede=1", "no input 'sede'"),
        ("seed=1..99999999", "no end in sight"),
        ("seed=1..5..0", "no end in sight"),
    ],
)
def test_bad_axes(engine: Engine, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        axis(engine, text)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_grid_holds_every_combination_once(lengths: list[int]) -> None:
    axes = [Axis(f"a{i}", tuple(range(length))) for i, length in enumerate(lengths)]
    spanned = [tuple(cell.values()) for cell in cells(axes)]
    assert len(spanned) == len(set(spanned))
    product = 1
    for length in lengths:
        product *= length
    assert len(spanned) == product
    assert spanned == sorted(spanned)  # the last axis varies fastest


def test_side_by_side() -> None:
    assert cells([Axis("a", (1, 2)), Axis("b", (3, 4))], "zip") == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    with pytest.raises(InputError, match="differ in length"):
        cells([Axis("a", (1, 2)), Axis("b", (3,))], "zip")
    with pytest.raises(InputError, match="two axes"):
        cells([Axis("a", (1,)), Axis("a", (3,))])


def test_rows_follow_the_last_axis() -> None:
    assert columns([Axis("a", (1, 2)), Axis("b", (3, 4, 5))]) == 3
    assert columns([Axis("a", tuple(range(16)))]) == 4
    assert columns([Axis("a", (1, 2))]) == 2
    assert label({"seed": 3, "cfg": 7.0}) == "seed: 3, cfg: 7.0"


def test_what_cells_share_runs_once(engine: Engine, toy: Toy) -> None:
    done = asyncio.run(engine.sweep(DOCUMENT, [Axis("b", (1, 2, 3))]))
    assert [result.outputs["sum"] for _, result in done] == [2.0, 3.0, 4.0]
    assert [cell for cell, _ in done] == [{"b": 1}, {"b": 2}, {"b": 3}]
    assert toy.calls["number"] == 1
    assert toy.calls["add"] == 3
