"""What nodes say of their literals before they run: what was assumed of a file, and how to say otherwise."""

from __future__ import annotations

from nodegraph.declare import FindFile
from nodegraph.errors import NodegraphError
from nodegraph.graph.binding import BoundGraph


def notes_of(graph: BoundGraph, find: FindFile) -> list[str]:
    """The notes of all nodes, each once. A node whose file cannot be read says so when it runs."""
    found: dict[str, None] = {}
    if not any(type_.notes is not None for type_ in graph.types):
        return []
    for node in graph.nodes.values():
        if node.type.notes is None:
            continue
        try:
            found.update(dict.fromkeys(node.type.notes(node.params, find)))
        except (NodegraphError, OSError):
            continue
    return list(found)
