"""The nodes of an expansion: made by the thousand, so they are lighter than the document's own entries."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from nodegraph.graph.document import NodeEntry


class FlatNode(Struct):
    """What a document's entry says of a node, without its mode, and with paths in its links."""

    type: str
    inputs: dict[str, Any]
    version: int | None = None
    title: str | None = None


Entry = NodeEntry | FlatNode
"""A node as the binder takes it: a document without subgraphs and modes is its own expansion."""
