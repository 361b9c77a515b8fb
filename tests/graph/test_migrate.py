"""Old documents and old nodes open right; and what is not touched stays as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Graph, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.errors import DeclarationError, WorkflowError
from nodegraph.graph.binding import bind
from nodegraph.graph.export import to_python
from nodegraph.graph.loading import load_document
from nodegraph.graph.migrate import migrate_data, migrate_nodes
from nodegraph.hookspecs import NodeMigration
from nodegraph.packs import load_packs
from nodegraph.registry import Registry
from tests.graph.typed_nodes import TypedPack
from tests.toy import workflow


@node("old.scale", version=3, lane="inline")
def scale(value: float, percent: float = 100.0, clamp: bool = False) -> float:
    """Version 1 had `factor`, version 2 called it `amount`, version 3 counts in percent."""
    return min(value * percent / 100, 1.0) if clamp else value * percent / 100


@node("old.successor", lane="inline")
def successor(value: float, by: float = 0.0) -> float:
    """Takes over from `old.gone`."""
    return value + by


def to_percent(inputs: dict[str, Any]) -> Mapping[str, Any]:
    amount = inputs.get("percent")
    return inputs if not isinstance(amount, float) else {**inputs, "percent": amount * 100}


def fails(inputs: dict[str, Any]) -> Mapping[str, Any]:
    return {"value": inputs["nowhere"]}


class Old:
    """A pack with a history."""

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return [scale, successor]

    @hookimpl
    def register_migrations(self) -> Sequence[NodeMigration]:
        return [
            NodeMigration("old.scale", 1, renamed={"factor": "amount"}),
            NodeMigration("old.scale", 2, to_percent, renamed={"amount": "percent"}),
            NodeMigration(
                "old.gone", 1, renamed={"plus": "by"}, outputs={"sum": "value"}, becomes="old.successor"
            ),
            NodeMigration("old.broken", 1, fails),
        ]


PACKS = load_packs(extra=[("old", Old()), ("typed", TypedPack())], installed=False)
REGISTRY: Registry = PACKS.registry


def migrated(nodes: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return migrate_nodes(load_document({"nodegraph": 1, "nodes": nodes, **fields}), REGISTRY).to_json()


def test_a_node_is_taken_from_version_to_version() -> None:
    new = {"type": "old.scale", "inputs": {"value": 2.0, "percent": 50.0}, "version": 3}
    for version, inputs in [(1, {"value": 2.0, "factor": 0.5}), (2, {"value": 2.0, "amount": 0.5})]:
        entry = {"type": "old.scale", "inputs": inputs, "version": version}
        assert migrated({"a": entry})["nodes"]["a"] == new
    assert migrated({"a": new})["nodes"]["a"] == new


def test_a_node_without_a_version_is_one_of_version_1() -> None:
    entry = {"type": "old.scale", "inputs": {"value": 2.0, "factor": 0.5}, "title": "Half", "note": 1}
    assert migrated({"a": entry})["nodes"]["a"] == {
        "type": "old.scale", "inputs": {"value": 2.0, "percent": 50.0}, "version": 3, "title": "Half",
        "note": 1,
    }  # fmt: skip


def test_links_and_named_inputs_follow_new_names() -> None:
    data = migrated(
        {
            "gone": {"type": "old.gone", "inputs": {"value": 1.0, "plus": 2.0}},
            "scale": {"type": "old.scale", "inputs": {"value": {"from": "gone.sum"}, "factor": 2.0}},
            "list": {
                "type": "typed.total",
                "inputs": {"numbers": [{"from": "gone.sum"}, 1, {"from": "gone"}]},
            },
        },
        inputs={"factor": {"to": ["scale.factor", "gone.plus", "list.numbers"], "help": "both"}},
        outputs={"sum": {"from": "gone.sum", "label": "Sum"}, "scaled": {"from": "scale"}},
    )
    assert data["nodes"]["gone"] == {
        "type": "old.successor", "inputs": {"value": 1.0, "by": 2.0}, "version": 1,
    }  # fmt: skip
    assert data["nodes"]["scale"]["inputs"] == {"value": {"from": "gone.value"}, "percent": 200.0}
    assert data["nodes"]["list"]["inputs"] == {"numbers": [{"from": "gone.value"}, 1, {"from": "gone"}]}
    assert data["inputs"] == {"factor": {"to": ["scale.percent", "gone.by", "list.numbers"], "help": "both"}}
    assert data["outputs"] == {"sum": {"from": "gone.value", "label": "Sum"}, "scaled": {"from": "scale"}}


def test_nodes_inside_subgraphs_are_migrated_too() -> None:
    definition = {
        "inputs": {"x": {"type": "float"}},
        "outputs": {"y": {"type": "float", "from": "gone.sum"}},
        "nodes": {"gone": {"type": "old.gone", "inputs": {"value": {"input": "x"}, "plus": 1.0}}},
    }
    data = migrated({"a": {"type": "#sub", "inputs": {"x": 1.0}}}, subgraphs={"sub": definition})
    inner = data["subgraphs"]["sub"]
    assert inner["nodes"]["gone"]["inputs"] == {"value": {"input": "x"}, "by": 1.0}
    assert inner["outputs"]["y"]["from"] == "gone.value"


def test_an_old_file_runs(tmp_path: Path) -> None:
    document = workflow(
        {
            "gone": ("old.gone", {"value": 1, "plus": 2}),
            "a": ("old.scale", {"value": "@gone.sum", "factor": 0.5}),
        },
        inputs={"factor": {"to": ["a.factor"]}},
        outputs={"result": {"from": "a"}},
    )
    with Engine(tmp_path, packs=PACKS) as engine:
        assert engine.run_sync(document).outputs == {"result": 1.5}
        assert engine.run_sync(document, factor=200.0).outputs == {"result": 6.0}  # in today's percent


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"type": "old.scale", "version": 4, "inputs": {"value": 1.0}}, "node_version"),
        ({"type": "typed.number", "version": 2}, "node_version"),
        ({"type": "old.unknown", "version": 1}, "unknown_type"),
    ],
)
def test_what_no_step_leads_on_is_reported(tmp_path: Path, entry: dict[str, Any], code: str) -> None:
    with Engine(tmp_path, packs=PACKS) as engine:
        (problem,) = engine.check({"nodegraph": 1, "nodes": {"a": entry}})
    assert problem.code == code
    assert migrated({"a": entry})["nodes"]["a"] == entry


def test_a_step_that_fails_is_named() -> None:
    with pytest.raises(WorkflowError) as caught:
        migrated({"a": {"type": "old.broken", "title": "Mine"}})
    (problem,) = caught.value.problems
    assert problem.code == "migration_failed"
    assert problem.describe().startswith("node 'a' (Mine): 'old.broken' cannot be brought from version 1")


def test_steps_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(DeclarationError, match=r"two migrations of 'a\.b' from"):
        Registry().add_migrations([NodeMigration("a.b", 1), NodeMigration("a.b", 1)])
    with pytest.raises(DeclarationError, match="lead back"):
        Registry().add_migrations(
            [NodeMigration("a.b", 1, becomes="c.d"), NodeMigration("c.d", 1, becomes="a.b")]
        )


def test_a_document_without_old_nodes_is_left_alone() -> None:
    document = load_document({"nodegraph": 1, "nodes": {"a": {"type": "typed.number", "inputs": {}}}})
    assert migrate_nodes(document, REGISTRY).to_text() == document.to_text()


def test_documents_are_taken_from_format_to_format() -> None:
    steps = [
        lambda data: {**data, "nodes": {**data["nodes"], "two": {}}},
        lambda data: {**data, "nodes": {**data["nodes"], "three": {}}},
    ]
    assert migrate_data({"nodegraph": 1, "nodes": {}}, steps) == {
        "nodegraph": 3, "nodes": {"two": {}, "three": {}},
    }  # fmt: skip
    assert migrate_data({"nodegraph": 2, "nodes": {}}, steps) == {"nodegraph": 3, "nodes": {"three": {}}}


def test_what_is_built_in_python_says_its_version() -> None:
    g = Graph()
    g(scale)(1.0, 50.0)
    document = g.document()
    assert document.nodes["old_scale"].version == 3
    assert migrate_nodes(document, REGISTRY) is not None
    namespace: dict[str, Any] = {}
    for entry in (document, load_document(workflow({"a": ("old.scale", {"value": 1.0})}))):
        exec(to_python(entry, REGISTRY), namespace)  # noqa: S102 - that it can be executed is the test
        assert namespace["document"].to_json() == entry.to_json()


NAMES = ["a", "b", "c", "d", "e"]


class Changing:
    """A pack whose one node has these inputs, in this order."""

    def __init__(self, names: Sequence[str], removed: Sequence[str] = ()) -> None:
        parameters = ", ".join(f"{name}: float = {10.0 * NAMES.index(name)}" for name in names)
        namespace: dict[str, Any] = {}
        exec(f"def changing({parameters}) -> float: ...", namespace)  # noqa: S102 - a signature made at run time
        version = 2 if removed else 1
        self.nodes = [node("toy.changing", version=version, lane="inline")(namespace["changing"])]
        kept = NodeMigration(
            "toy.changing", 1, lambda inputs: {k: v for k, v in inputs.items() if k not in removed}
        )
        self.steps = [kept] if removed else []

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return self.nodes

    @hookimpl
    def register_migrations(self) -> Sequence[NodeMigration]:
        return self.steps


class NoFiles:
    def names(self, kind: str) -> Sequence[str]:
        return []

    def has(self, kind: str, name: str) -> bool:
        return False


def values(pack: Changing, document: dict[str, Any]) -> Mapping[str, Any]:
    registry = load_packs(extra=[("changing", pack)], installed=False).registry
    return bind(migrate_nodes(load_document(document), registry), registry, NoFiles()).nodes["n"].params


@given(
    st.lists(st.sampled_from(NAMES), unique=True, min_size=1),
    st.permutations(NAMES),
    st.sets(st.sampled_from(NAMES), max_size=2),
    st.dictionaries(st.sampled_from(NAMES), st.floats(-9, 9)),
)
def test_reordering_adding_and_hiding_inputs_changes_no_other_value(
    before: list[str], order: list[str], hidden: set[str], given_: dict[str, float]
) -> None:
    document = workflow({"n": ("toy.changing", {name: given_[name] for name in given_ if name in before})})
    old = values(Changing(before), document)
    new = values(Changing([name for name in order if name not in hidden], sorted(hidden)), document)
    assert {name: new[name] for name in new if name in before} == {
        name: old[name] for name in before if name not in hidden
    }
