"""Editing a third-party pack changes the keys of its nodes, and of nodes that name one of its choices.

Whether or not its author raised a version.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nodegraph_nodes
from nodegraph import Choice, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.execution.plan import Plan, Snapshot, plan, resolve_targets
from nodegraph.graph.binding import bind
from nodegraph.graph.loading import load_document
from nodegraph.hookspecs import ChoiceEntry
from nodegraph.packs import load_packs
from tests.toy import Toy, toy_packs, workflow

SOURCE = """
from nodegraph import hookimpl, node

@node("mine.number", lane="inline")
def number(value: float = 0.0) -> float:
    return value {change}

@hookimpl
def register_nodes() -> list[object]:
    return [number]
"""
DOCUMENT = {
    "nodegraph": 1,
    "nodes": {"one": {"type": "mine.number"}},
    "outputs": {"one": {"from": "one"}},
}


def module(path: Path, change: str, source: str = SOURCE) -> ModuleType:
    path.parent.mkdir(exist_ok=True)
    path.write_text(source.format(change=change))
    spec = importlib.util.spec_from_file_location("mine", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def key_and_value(folder: Path, change: str) -> tuple[str | None, float]:
    pack = module(folder / "mine" / "__init__.py", change)
    with Engine(folder / "data", packs=load_packs(extra=[("mine", pack)], installed=False)) as engine:
        result = engine.run_sync(DOCUMENT)
        return result.plan.entries["one"].key, result.outputs["one"]


def test_an_edited_pack_has_other_keys(tmp_path: Path) -> None:
    first = key_and_value(tmp_path, "+ 1")
    again = key_and_value(tmp_path, "+ 1")
    edited = key_and_value(tmp_path, "+ 2.0")
    assert first == again
    assert edited[0] != first[0]
    assert (first[1], edited[1]) == (1.0, 2.0)


CHOICE = """
from nodegraph import hookimpl
from nodegraph.hookspecs import ChoiceEntry

@hookimpl
def register_choices() -> list[ChoiceEntry]:
    return [ChoiceEntry("operations", "mine", "of a guest", lambda: lambda number: number {change})]
"""
BODY: dict[str, Any] = {
    "inputs": {"item": {"type": "float"}, "how": {"type": {"type": "choice", "registry": "operations"}}},
    "outputs": {"result": {"type": "float", "from": "applied"}},
    "nodes": {"applied": {"type": "toy.apply", "inputs": {"number": {"input": "item"}}}},
}


class Several:
    """Nodes that take a name over a link, or several names."""

    @hookimpl
    def register_nodes(self) -> list[object]:
        @node("several.all", lane="inline")
        def apply_all(operations: list[Annotated[str, Choice("operations")]]) -> float:
            return float(len(operations))

        @node("several.name", lane="inline")
        def name(operation: Annotated[str, Choice("operations")]) -> Annotated[str, Choice("operations")]:
            return operation

        @node("several.grow", lane="inline")
        def grow(*operations: Annotated[str, Choice("operations")]) -> float:
            return float(len(operations))

        return [apply_all, name, grow]

    @hookimpl
    def register_choices(self) -> list[ChoiceEntry]:
        return [ChoiceEntry("operations", "plain", "of an object, which has no source", lambda: abs)]


def planned(folder: Path, change: str, flow: dict[str, Any]) -> Plan:
    pack = module(folder / "mine" / "__init__.py", change, CHOICE)
    others = [("mine", pack), ("several", Several()), ("builtin", nodegraph_nodes)]
    with Engine(folder / "data", packs=toy_packs(Toy(), *others)) as engine:
        return engine.plan(flow)


def changes(folder: Path, flow: dict[str, Any]) -> set[str]:
    """The nodes whose keys are others when the pack has been edited."""
    before, after = planned(folder, "+ 1", flow), planned(folder, "+ 2", flow)
    again = planned(folder, "+ 1", flow)
    assert {id_: entry.key for id_, entry in before.entries.items()} == {
        id_: entry.key for id_, entry in again.entries.items()
    }
    return {id_ for id_, entry in before.entries.items() if entry.key != after.entries[id_].key}


def test_a_choice_of_an_edited_pack_changes_the_keys_of_the_nodes_that_name_it(tmp_path: Path) -> None:
    nodes = {
        "mine": ("toy.apply", {"number": 1, "operation": "mine"}),
        "own": ("toy.apply", {"number": 1, "operation": "square"}),
        "default": ("toy.apply", {"number": 1}),
        "plain": ("toy.apply", {"number": 1, "operation": "plain"}),
        "after": ("toy.add", {"a": "@mine"}),
        "aside": ("toy.add", {"a": "@own"}),
        "listed": ("several.all", {"operations": ["double", "mine"]}),
        "unlisted": ("several.all", {"operations": ["double"]}),
        "grown": ("several.grow", {"operations": ["double", "mine"]}),
    }
    flow = workflow(nodes, outputs={name: {"from": name} for name in nodes})
    assert changes(tmp_path, flow) == {"mine", "after", "listed", "grown"}


def test_a_name_that_comes_over_a_link_may_be_any(tmp_path: Path) -> None:
    nodes = {
        "name": ("several.name", {"operation": "square"}),
        "applied": ("toy.apply", {"number": 1, "operation": "@name"}),
    }
    flow = workflow(nodes, outputs={name: {"from": name} for name in nodes})
    assert changes(tmp_path, flow) == {"applied"}


@pytest.mark.parametrize(
    ("operation", "changed"), [("mine", {"loop"}), ("square", set()), ({"input": "how"}, {"loop"})]
)
def test_a_choice_inside_a_body_counts_for_its_loop(
    tmp_path: Path, operation: Any, changed: set[str]
) -> None:
    applied = BODY["nodes"]["applied"]
    inside = {**applied, "inputs": {**applied["inputs"], "operation": operation}}
    inputs = dict(BODY["inputs"])
    inputs["how"] = {**inputs["how"], "default": "square"}
    body = {**BODY, "inputs": inputs, "nodes": {"applied": inside}}
    flow = workflow(
        {"loop": ("logic.for_each", {"body": "#body", "items": [1, 2]})},
        outputs={"out": {"from": "loop"}}, subgraphs={"body": body},
    )  # fmt: skip
    assert changes(tmp_path, flow) == changed


def test_built_in_choices_add_nothing_to_keys(tmp_path: Path) -> None:
    with Engine(tmp_path / "data", device="cpu") as engine:
        assert not engine.registry.choice_code
        entries = engine.plan("template:text-to-image").entries
    assert not any("@code" in entry.parts for entry in entries.values())


NAMES = ("double", "square", "mine", "yours")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), min_size=1, max_size=6))
def test_keys_change_exactly_where_an_edited_choice_is_named(rows: list[tuple[str, bool]]) -> None:
    """A chain of nodes, each reading from the one before it or from none."""

    class Guests:
        @hookimpl
        def register_choices(self) -> list[ChoiceEntry]:
            return [ChoiceEntry("operations", name, "", lambda: abs) for name in ("mine", "yours")]

    nodes = {
        f"n{index}": ("toy.apply", {"number": f"@n{index - 1}" if index and linked else 1, "operation": name})
        for index, (name, linked) in enumerate(rows)
    }
    registry = toy_packs(Toy(), ("guests", Guests())).registry
    outputs = {f"o{index}": {"from": f"n{index}"} for index in range(len(rows))}
    graph = bind(load_document(workflow(nodes, outputs=outputs)), registry, NoFiles())
    codes = {("operations", "mine"): "1", ("operations", "yours"): "1"}
    targets = resolve_targets(graph)
    before = plan(graph, targets, Snapshot(choice_code=codes)).entries
    after = plan(graph, targets, Snapshot(choice_code={**codes, ("operations", "mine"): "2"})).entries
    touched = False
    for index, (name, linked) in enumerate(rows):
        touched = name == "mine" or (touched and linked)
        assert (before[f"n{index}"].key != after[f"n{index}"].key) == touched


class NoFiles:
    """A place without files."""

    def names(self, kind: str) -> list[str]:
        return []

    def has(self, kind: str, name: str) -> bool:
        return False
