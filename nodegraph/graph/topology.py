"""The shape of a graph: order, ancestors, cycles. The only module that knows networkx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import networkx as nx

Edges = Mapping[str, Iterable[str]]  # node -> the nodes it reads from


class CycleError(ValueError):
    """The graph goes round in a circle: `edges` are its links in order."""

    def __init__(self, edges: list[tuple[str, str]]) -> None:
        super().__init__(" -> ".join([edges[0][0], *(target for _, target in edges)]))
        self.edges = edges


def _digraph(sources: Edges) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((source, node) for node, reads in sources.items() for source in reads)
    return graph


def order(sources: Edges) -> list[str]:
    """Nodes so that each comes after what it reads; ties keep the given order. CycleError on a cycle."""
    graph = _digraph(sources)
    try:
        return list(nx.topological_sort(graph))
    except nx.NetworkXUnfeasible:
        raise CycleError([(source, target) for source, target, *_ in nx.find_cycle(graph)]) from None


def ancestors(sources: Edges, targets: Iterable[str]) -> set[str]:
    """The targets and everything they read from, near or far."""
    found: set[str] = set()
    stack = list(targets)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(sources[node])
    return found
