"""Keys: equal meaning gives equal keys, and nothing else does."""

from __future__ import annotations

import enum
import random
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nodegraph.engine import Engine
from nodegraph.execution.keys import digest, encode
from tests.execution.dags import Rows, descendants, document, rows
from tests.toy import workflow

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def keys_of(engine: Engine, flow: Any) -> dict[str, str | None]:
    return {id_: entry.key for id_, entry in engine.plan(flow).entries.items()}


def _exact(value: Any) -> Any:
    """The value with its types, so that 1, 1.0, True and -0.0, 0.0 are told apart."""
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


@given(DATA, DATA)
def test_different_values_have_different_encodings(one: Any, other: Any) -> None:
    assert (encode(one) == encode(other)) == (_exact(one) == _exact(other))


@given(st.dictionaries(st.text(), DATA), st.randoms())
def test_the_order_of_a_mapping_does_not_count(data: dict[str, Any], chance: random.Random) -> None:
    names = list(data)
    chance.shuffle(names)
    assert encode({name: data[name] for name in names}) == encode(data)


def test_kinds_of_one_value_have_one_encoding() -> None:
    assert encode((1, 2)) == encode([1, 2])
    assert encode(MappingProxyType({"a": 1})) == encode({"a": 1})
    assert encode(enum.IntEnum("Number", "one").one) == encode(1)  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [object(), 1j, iter(()), {"a": object()}], ids=lambda v: type(v).__name__)
def test_what_is_no_json_has_no_key(value: object) -> None:
    with pytest.raises(TypeError, match="no place in a key"):
        digest(value)


def test_keys_are_the_same_in_every_process() -> None:
    """Pinned: a change of the encoding must raise KEY_FORMAT."""
    assert digest([1, "a", {"b": 2.5, "c": None, "d": True}]) == "0c345863cf8a2a43cd3f61752b79ada818d84f95"


@given(rows(), st.randoms(), st.data())
def test_names_order_titles_and_view_change_no_key(
    engine: Engine, rows: Rows, chance: random.Random, data: st.DataObject
) -> None:
    flow = document(rows)
    names = list(flow["nodes"])
    new = dict(zip(names, chance.sample([f"x{index}" for index in range(99)], len(names)), strict=True))
    changed = {
        new[name]: {
            **node,
            "title": data.draw(st.text(max_size=3)),
            "inputs": {
                slot: {"from": new[value["from"]]} if isinstance(value, dict) else value
                for slot, value in chance.sample(list(node["inputs"].items()), len(node["inputs"]))
            },
        }
        for name, node in chance.sample(list(flow["nodes"].items()), len(names))
    }
    outputs = {name: {"from": name} for name in changed}
    other = {**flow, "nodes": changed, "outputs": outputs, "view": {"zoom": 2}, "name": "another name"}
    before, after = keys_of(engine, flow), keys_of(engine, other)
    assert {new[name]: key for name, key in before.items()} == after


@given(rows())
def test_a_duplicate_has_the_key_of_its_original(engine: Engine, rows: Rows) -> None:
    keys = keys_of(engine, document([*rows, rows[-1]]))
    assert keys[f"n{len(rows)}"] == keys[f"n{len(rows) - 1}"]


@given(rows(), st.data())
def test_one_parameter_changes_exactly_the_keys_of_its_descendants(
    engine: Engine, rows: Rows, data: st.DataObject
) -> None:
    changed = data.draw(st.integers(0, len(rows) - 1))
    slot = data.draw(st.sampled_from("abc"))
    assume(rows[changed].get(slot, ("number", 0.0))[0] == "number")
    before = keys_of(engine, document(rows))
    after = keys_of(
        engine,
        document([{**row, slot: ("number", 99.0)} if i == changed else row for i, row in enumerate(rows)]),
    )
    assert {name for name in before if before[name] != after[name]} == descendants(rows, changed)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("toy.number", {"value": 5}), ("toy.number", {"value": 5.0}), True),
        (("toy.count", {"number": 5.0}), ("toy.count", {"number": 5}), True),
        (("toy.number", {}), ("toy.number", {"value": 0}), True),
        (("toy.number", {"value": {"value": 5}}), ("toy.number", {"value": 5}), True),
        (("toy.number", {"value": 5}), ("toy.count", {"number": 5}), False),
        (("toy.number", {"value": 5}), ("toy.number", {"value": 6}), False),
        (("toy.sum_list", {"numbers": [1, 2]}), ("toy.sum_list", {"numbers": [1.0, 2.0]}), True),
        (("toy.sum_list", {"numbers": [1, 2]}), ("toy.sum_list", {"numbers": [2, 1]}), False),
        (("toy.add", {"a": 1, "b": 2}), ("toy.add", {"a": 2, "b": 1}), False),
        (("toy.add", {"a": 1}), ("toy.add_on_cpu", {"a": 1}), False),
    ],
)  # fmt: skip
def test_the_meaning_of_a_literal_counts_not_its_writing(
    engine: Engine, one: tuple[str, Any], other: tuple[str, Any], same: bool
) -> None:
    keys = keys_of(engine, workflow({"one": one, "other": other}, outputs={"one": {"from": "one"}}))
    assert (keys["one"] == keys["other"]) == same


def test_which_output_is_read_and_by_which_input_counts(engine: Engine) -> None:
    keys = keys_of(
        engine,
        workflow(
            {
                "half": ("toy.halve", {"number": 7}),
                "whole": ("toy.total", {"a": "@half.whole"}),
                "rest": ("toy.total", {"a": "@half.rest"}),
                "elsewhere": ("toy.total", {"b": "@half.whole"}),
            },
            outputs={"x": {"from": "whole"}},
        ),
    )
    assert len({keys[name] for name in ("whole", "rest", "elsewhere")}) == 3


def test_a_link_is_not_a_literal_of_the_same_value(engine: Engine) -> None:
    keys = keys_of(
        engine,
        workflow(
            {
                "n": ("toy.number", {"value": 2}),
                "x": ("toy.total", {"a": "@n"}),
                "y": ("toy.total", {"a": 2}),
            },
            outputs={"x": {"from": "x"}},
        ),
    )
    assert keys["x"] != keys["y"]
