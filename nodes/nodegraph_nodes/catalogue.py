"""Every node of the built-in pack."""

from __future__ import annotations

from nodegraph_nodes import nodes

NODES: list[object] = [getattr(nodes, name) for name in nodes.__all__]
