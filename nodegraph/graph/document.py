"""The workflow document: one JSON format for the editor, the API, the CLI and Python.

Everything is keyed by name. Fields and node types that this version does not know survive a round trip.
`view` never changes a key or a result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

FORMAT_VERSION = 1
NODE_ID = r"[A-Za-z_][A-Za-z0-9_-]*"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
LINK = rf"{NODE_ID}(\.{NAME})?"

NodeId = Annotated[str, Field(pattern=f"^{NODE_ID}$")]
Reference = Annotated[str, Field(pattern=f"^{LINK}$")]
Place = Annotated[str, Field(pattern=rf"^{NODE_ID}(\.{NAME}(\.[A-Za-z0-9_-]+|\[[0-9]{{1,6}}\])*)?$")]
Step = str | int


class Part(BaseModel):
    """A part of the document. Unknown fields are kept, and written back."""

    model_config = ConfigDict(extra="allow", frozen=True)


class NodeEntry(Part):
    """One node: its type, its inputs (literals or links), and how it takes part."""

    type: str
    inputs: dict[str, Any] = {}
    mode: Literal["bypass", "mute"] | None = None
    version: StrictInt | None = None
    title: str | None = None


class DamagedEntry(NodeEntry):
    """Stands for a node that could not be read, in what is whole of a broken document."""


class InputEntry(Part):
    """A named input of the workflow and what it feeds: `node.input`, or a member: `node.images[0]`."""

    to: list[Place]
    help: str | None = None


class OutputEntry(Part):
    """A named output of the workflow and the node output it shows."""

    source: Reference = Field(alias="from")


class SubgraphInput(Part):
    """An input of a subgraph: its socket type (`"image"`, or the JSON form), and a default if it has one."""

    type: str | dict[str, Any]
    default: Any = None
    help: str | None = None


class SubgraphOutput(Part):
    """An output of a subgraph: its socket type and the node inside that gives it."""

    type: str | dict[str, Any]
    source: Reference = Field(alias="from")


class SubgraphEntry(Part):
    """A definition that nodes use as their type `#name`."""

    version: StrictInt = 1
    title: str | None = None
    inputs: dict[str, SubgraphInput] = {}
    outputs: dict[str, SubgraphOutput] = {}
    nodes: dict[NodeId, NodeEntry]


class Document(Part):
    """A whole workflow."""

    nodegraph: Literal[1]
    name: str = ""
    nodes: dict[NodeId, NodeEntry]
    inputs: dict[str, InputEntry] = {}
    outputs: dict[str, OutputEntry] = {}
    subgraphs: dict[str, SubgraphEntry] = {}
    requires: dict[str, Any] = {}
    view: dict[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """The document as JSON data: what was read, known fields first, in one order."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def to_text(self) -> str:
        """The canonical text: reading it and writing it again gives the same text."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def with_values(self, values: Mapping[tuple[str, str], Any]) -> Document:
        """The same document with literals set at (node, input) places."""
        return self.model_copy(update={"nodes": with_values(self.nodes, values)})


def with_values(
    nodes: Mapping[str, NodeEntry], values: Mapping[tuple[str, str], Any]
) -> dict[str, NodeEntry]:
    """The same nodes with literals set at (node, input) places."""
    changed = dict(nodes)
    for (node, name), value in values.items():
        literal = {"value": value} if isinstance(value, dict) else value
        inputs = {**changed[node].inputs, name: literal}
        changed[node] = changed[node].model_copy(update={"inputs": inputs})
    return changed


def split_reference(reference: str) -> tuple[str, str | None]:
    """`"node.output"` -> ("node", "output"); `"node"` -> ("node", None)."""
    node, dot, port = reference.partition(".")
    return node, port if dot else None


def split_port(port: str) -> tuple[str, tuple[Step, ...]]:
    """`"images[0].width"` -> ("images", (0, "width")); `"images"` -> ("images", ())."""
    name, *steps = re.findall(r"[^.\[\]]+|\[\d+\]", port) or [port]
    return name, tuple(int(step[1:-1]) if step[0] == "[" else step for step in steps)


def link_of(value: Any) -> str | None:
    """The reference of a link `{"from": "node.output"}`, or None if the value is a literal."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("from"), str):
        return str(value["from"])
    return None


def literal_of(value: Any) -> Any:
    """The literal that is meant: `{"value": x}` escapes an object."""
    if isinstance(value, dict) and len(value) == 1 and "value" in value:
        return value["value"]
    return value
