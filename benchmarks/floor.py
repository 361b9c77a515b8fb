"""The floor: what any engine needs that reads this format and keys results by content."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import networkx as nx

from benchmarks.graphs import SHAPES
from nodegraph.graph.document import Document, link_of


def floor(text: str) -> None:
    """Read and check the document, inline its subgraphs, sort the graph, and take one Merkle key per node."""
    document = Document.model_validate_json(text)
    nodes = {name: (entry.type, entry.inputs) for name, entry in document.nodes.items()}
    if document.subgraphs:
        nodes = dict(_inlined(document))
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for name, (_, inputs) in nodes.items():
        graph.add_edges_from((link, name) for link in map(link_of, inputs.values()) if link is not None)
    keys: dict[str, str] = {}
    for name in nx.topological_sort(graph):
        type_, inputs = nodes[name]
        keyed = {port: _keyed(value, keys) for port, value in inputs.items()}
        text = json.dumps([type_, keyed], sort_keys=True, separators=(",", ":"))
        keys[name] = hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


Node = tuple[str, dict[str, Any]]


def _inlined(document: Document) -> Iterator[tuple[str, Node]]:
    """All nodes of a document of nested subgraphs by path: the least that inlining can mean."""
    ends: dict[str, str] = {}  # the node behind the output of every subgraph node
    stack: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [("", document.nodes, {})]
    placed: list[tuple[str, Node]] = []
    while stack:
        prefix, nodes, given = stack.pop()
        for name, entry in nodes.items():
            inputs = {port: _placed(value, prefix, given) for port, value in entry.inputs.items()}
            if entry.type.startswith("#"):
                definition = document.subgraphs[entry.type[1:]]
                path = f"{prefix}{name}/"
                ends[prefix + name] = path + definition.outputs["value"].source
                stack.append((path, definition.nodes, inputs))
            else:
                placed.append((prefix + name, (entry.type, inputs)))
    for path, (type_, inputs) in placed:
        for port, value in inputs.items():
            link = link_of(value)
            while link in ends:
                link = ends[link]
                inputs[port] = {"from": link}
        yield path, (type_, inputs)


def _placed(value: Any, prefix: str, given: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return given[value["input"]] if "input" in value else {"from": prefix + value["from"]}
    return value


def _keyed(value: Any, keys: dict[str, str]) -> Any:
    link = link_of(value)
    return [keys.get(link, link)] if link is not None else value


def bare_floor(text: str) -> None:
    """The same unchecked and with nothing canonical: JSON, networkx, one hash per node."""
    nodes = json.loads(text)["nodes"]
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for name, entry in nodes.items():
        graph.add_edges_from(
            (value["from"], name) for value in entry["inputs"].values() if isinstance(value, dict)
        )
    for name in nx.topological_sort(graph):
        hashlib.blake2b(repr(nodes[name]).encode(), digest_size=20).hexdigest()


def run(*, large: bool) -> bool:
    """Print both floors for a chain."""
    for count in (1_000, 10_000, *([100_000] if large else [])):
        text = SHAPES["chain"].text(count)
        bare, checked = (min(_timed(work, text) for _ in range(5)) for work in (bare_floor, floor))
        print(f"  {count:>7,} nodes: {checked * 1e6 / count:.1f} us a node, bare {bare * 1e6 / count:.1f} us")
    return True


def _timed(work: Any, text: str) -> float:
    start = time.process_time()
    work(text)
    return time.process_time() - start
