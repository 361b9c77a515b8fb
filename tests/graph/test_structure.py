"""A broken structure is named place by place, in our words, together with the problems of what is whole."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nodegraph_nodes
from nodegraph.engine import Engine
from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.document import DamagedEntry
from nodegraph.graph.loading import BrokenDocumentError, load_document
from nodegraph.packs import load_packs
from tests.toy import Toy, workflow

Data = dict[str, Any]
WHOLE: Data = {
    **workflow(
        {
            "one": ("toy.number", {"value": 1}),
            "two": ("toy.add", {"a": "@one", "b": 2}),
            "three": ("toy.add", {"a": "@two", "b": "@used"}),
            "used": ("#sub", {"number": "@two"}),
            "loop": ("logic.for_each", {"body": "#body", "items": [1, 2]}),
        },
        inputs={"b": {"to": ["two.b"], "help": "a number"}},
        outputs={"three": {"from": "three"}, "loop": {"from": "loop"}},
    ),
    "name": "whole",
    "subgraphs": {
        "sub": {
            "inputs": {"number": {"type": "float"}},
            "outputs": {"result": {"type": "float", "from": "inner"}},
            "nodes": {"inner": {"type": "toy.add", "inputs": {"a": {"input": "number"}}}},
        },
        "body": {
            "inputs": {"item": {"type": "float"}},
            "outputs": {"result": {"type": "float", "from": "inner"}},
            "nodes": {"inner": {"type": "toy.add", "inputs": {"a": {"input": "item"}}}},
        },
    },
}


@pytest.fixture
def logic(toy: Toy, tmp_path: Path) -> Iterator[Engine]:
    packs = load_packs(extra=[("toy", toy), ("builtin", nodegraph_nodes)], installed=False)
    with Engine(tmp_path / "data", packs=packs) as made:
        yield made


def problems(engine: Engine, data: Data) -> list[Problem]:
    return engine.check(data)


def broken(*changes: tuple[str, Any]) -> Data:
    """The document with values set at dotted places."""
    data = copy.deepcopy(WHOLE)
    for place, value in changes:
        *way, last = place.split(".")
        part = data
        for step in way:
            part = part[step]
        if value is ...:
            del part[last]
        else:
            part[last] = value
    return data


def test_the_document_of_these_tests_is_whole(logic: Engine) -> None:
    assert problems(logic, WHOLE) == []


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("nodes", [], "'nodes' is not valid; expected an object, found []. Write {\"type\": \"…\""),
        ("name", 5, "'name' is not valid; expected text, found 5."),
        ("view", [], "'view' is not valid; expected an object, found []."),
        ("nodes.one", 5, "node 'one': 'nodes.one' is not valid; expected an object, found 5. Write {"),
        ("nodes.one.type", 5, "node 'one': 'nodes.one.type' is not valid; expected text, found 5. Write"),
        ("nodes.one.type", ..., "node 'one': 'nodes.one.type' is missing. Write the id of a node type"),
        ("nodes.one.inputs", [1], "'nodes.one.inputs' is not valid; expected an object, found [1]."),
        ("nodes.one.mode", "off", "expected \"bypass\" or \"mute\", found 'off'. Leave it out"),
        ("nodes.one.version", "2", "'nodes.one.version' is not valid; expected a whole number, found '2'."),
        ("nodes.one.version", 1.5, "expected a whole number, found 1.5"),
        ("nodes.one.title", ["a"], "'nodes.one.title' is not valid; expected text, found ['a']."),
        ("nodes.my node", {"type": "toy.number"}, "'my node' is not a node id; expected letters"),
        ("nodes.1st", {"type": "toy.number"}, "found '1st'. Call it '_1st', also where it is linked."),
        ("inputs.b.to", "two.b", "'inputs.b.to' is not valid; expected a list, found 'two.b'. Write"),
        ("inputs.b.to", ["two b"], "'inputs.b.to.0' is not valid; expected a reference"),
        ("inputs.b", {}, "'inputs.b.to' is missing. Write \"to\": [\"node.input\"]."),
        ("outputs.three", {}, "'outputs.three.from' is missing. Write \"from\": \"node.output\"."),
        ("outputs", [], "'outputs' is not valid; expected an object"),
        ("subgraphs.sub.inputs.number.type", 5, "expected a socket type: \"image\""),
        ("subgraphs.sub.nodes", ..., "'subgraphs.sub.nodes' is missing."),
        ("subgraphs.sub.nodes.inner.type", 5, "node '#sub/inner': 'subgraphs.sub.nodes.inner.type' is"),
        ("subgraphs.body", 5, "'subgraphs.body' is not valid; expected an object, found 5."),
    ],
)  # fmt: skip
def test_one_broken_place_is_one_sentence_and_nothing_follows_from_it(
    logic: Engine, place: str, value: Any, sentence: str
) -> None:
    (problem,) = problems(logic, broken((place, value)))
    assert sentence in problem.describe()
    assert "pydantic" not in problem.describe()
    assert "Input should" not in problem.describe()


def test_what_is_whole_is_checked_in_the_same_pass(logic: Engine) -> None:
    data = broken(
        ("nodes.one.type", 5), ("nodes.used.title", 7), ("nodes.two.inputs.b", "text"),
        ("nodes.three.inputs.a", {"from": "nowhere"}), ("outputs.loop", {}),
        ("subgraphs.body.nodes.inner.inputs.b", "text"),
    )  # fmt: skip
    found = problems(logic, data)
    assert [(problem.code, problem.node, problem.input) for problem in found] == [
        ("bad_field", "one", None),
        ("bad_field", "used", None),
        ("missing_field", None, None),
        ("wrong_type", "two", "b"),
        ("unknown_node", "three", "a"),
        ("wrong_type", "#body/inner", "b"),
    ]
    with pytest.raises(WorkflowError) as caught:
        logic.run_sync(data)
    assert list(caught.value.problems) == found


def test_a_node_with_a_bad_id_is_checked_too(logic: Engine) -> None:
    node = {"type": "toy.add", "inputs": {"a": {"from": "one"}, "bb": 1}}
    found = problems(logic, broken(("nodes.my node", node), ("nodes.three.inputs.a", {"from": "my node"})))
    assert [(problem.code, problem.node) for problem in found] == [
        ("bad_name", None), ("unknown_input", "my node"),
    ]  # fmt: skip


def test_nobody_can_write_a_damaged_node(logic: Engine) -> None:
    for type_ in ("", "DamagedEntry", "@damaged"):
        (problem,) = problems(logic, broken(("nodes.one.type", type_)))
        assert problem.code == "unknown_type"
    assert not any(isinstance(entry, DamagedEntry) for entry in load_document(WHOLE).nodes.values())


def test_the_rest_has_a_stand_in_for_what_cannot_be_read() -> None:
    with pytest.raises(BrokenDocumentError) as caught:
        load_document(broken(("nodes.one", 5)))
    assert caught.value.rest is not None
    assert isinstance(caught.value.rest.nodes["one"], DamagedEntry)
    assert caught.value.rest.nodes["two"] == load_document(WHOLE).nodes["two"]


def places(part: Any, way: str = "") -> Iterator[str]:
    """Every place of a document but what is a literal or a link."""
    for name, value in part.items():
        place = f"{way}.{name}".lstrip(".")
        yield place
        if (isinstance(value, dict) and name != "inputs") or place == "inputs" or place.count(".") == 2:
            yield from places(value, place) if isinstance(value, dict) else ()


PLACES = [place for place in places(WHOLE) if place != "nodegraph"]
VALUES: list[Callable[[], Any]] = [lambda: 5, list, dict, lambda: "a b", lambda: None, lambda: ...]


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), min_size=1, max_size=3))
def test_whatever_is_broken_is_told_in_words(
    tmp_path: Path, changes: list[tuple[str, Callable[[], Any]]]
) -> None:
    data = copy.deepcopy(WHOLE)
    for place, value in changes:
        data = _set(data, place.split("."), value())
    packs = load_packs(extra=[("toy", Toy()), ("builtin", nodegraph_nodes)], installed=False)
    with Engine(tmp_path, packs=packs, disk_cache_bytes=0) as engine:
        for problem in engine.check(data):
            assert "Input should" not in problem.describe()
            assert len(problem.describe()) < 600
        structural: list[Problem] = []
        try:
            load_document(data)
        except WorkflowError as error:
            structural.extend(error.problems)
        assert engine.check(data)[: len(structural)] == structural


def _set(part: Any, way: list[str], value: Any) -> Any:
    if not isinstance(part, dict):
        return part
    first, *rest = way
    changed = dict(part)
    if rest and first in changed:
        changed[first] = _set(changed[first], rest, value)
    elif not rest and value is ...:
        changed.pop(first, None)
    elif not rest:
        changed[first] = value
    return changed
