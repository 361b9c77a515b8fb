"""Every node of the built-in pack, and the steps that bring older ones to what they are now."""

from __future__ import annotations

from nodegraph.hookspecs import NodeMigration
from nodegraph_nodes import nodes
from nodegraph_nodes.loaders import embedding

NODES: list[object] = [getattr(nodes, name) for name in nodes.__all__]

MIGRATIONS = [
    # Version 2 reads weights. The text stays as it is: brackets in prompts were always meant so.
    NodeMigration("text.encode", 1),
    *embedding.MIGRATIONS,
]
