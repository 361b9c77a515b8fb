"""Bodies: subgraphs that a control node runs. Bound once for each document, planned for each run.

The inputs of a body are given nodes (`@name`), whose keys and values come from the control node; everything
else is an ordinary graph. A body's digest, its files and whether it saves or draws anew are part of what its
control node depends on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from nodegraph.declare import NodeType, OutputSpec
from nodegraph.graph.document import Document, NodeEntry
from nodegraph.graph.subgraphs import outside
from nodegraph.registry import Registry

if TYPE_CHECKING:
    from nodegraph.graph.binding import BoundGraph

GIVEN = "@"


@dataclass(frozen=True, slots=True)
class Body:
    """A bound body: its graph, what it looks like from outside, and a digestible description."""

    name: str
    graph: BoundGraph
    type: NodeType
    definitions: Mapping[str, object]
    """The JSON of the definition and of every definition that it uses, by name."""


def given_types(type_: NodeType) -> dict[str, NodeType]:
    """For every input of a body, the node that stands for it. One with a default gives that if it is run."""
    return {
        GIVEN + name: NodeType(
            "@given", _itself,
            {} if spec.required else {"value": replace(spec, name="value", required=False)},
            {"value": OutputSpec("value", spec.type)}, lane="inline",
        )
        for name, spec in type_.inputs.items()
    }  # fmt: skip


def given_entries(type_: NodeType) -> dict[str, NodeEntry]:
    """The document entries of those nodes."""
    return {
        GIVEN + name: NodeEntry(type="@given", inputs={"value": {"value": spec.default}} if written else {})
        for name, spec in type_.inputs.items()
        for written in [not spec.required and spec.default is not None]
    }


_UNSEEN: Final[Any] = {
    "title": True, "view": True, "library": True,
    "inputs": {"__all__": {"help"}}, "nodes": {"__all__": {"title"}},
}  # fmt: skip
"""What says nothing of what a definition does: titles, help, places, and where it was taken from."""


def definitions_used(name: str, document: Document, registry: Registry) -> dict[str, object]:
    """The definition of that name and all that it uses, near or far, as JSON."""
    found: dict[str, object] = {}
    stack = [name]
    while stack:
        current = stack.pop()
        definition = document.subgraphs.get(current)
        if current in found or definition is None:
            continue
        found[current] = definition.model_dump(
            mode="json", by_alias=True, exclude_unset=True, exclude=_UNSEEN
        )
        for entry in definition.nodes.values():
            stack.extend(names_used(entry, registry))
    return found


def names_used(entry: NodeEntry, registry: Registry) -> list[str]:
    """The definitions that a node uses: as its type, or as the body that it runs."""
    if entry.type.startswith("#"):
        return [entry.type[1:]]
    type_ = registry.nodes.get(entry.type)
    written = [entry.inputs.get(name) for name in type_.body_inputs] if type_ else []
    return [value[1:] for value in written if isinstance(value, str) and value.startswith("#")]


def body_type(name: str, document: Document, registry: Registry) -> NodeType | None:
    """What a body looks like from outside; None if there is no such definition."""
    definition = document.subgraphs.get(name)
    return outside(f"#{name}", definition, registry) if definition is not None else None


def _itself(value: object) -> object:
    return value
