"""The floor: what any engine needs that reads this format and keys results by content."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import networkx as nx

from benchmarks.graphs import SHAPES
from nodegraph.graph.document import Document, link_of


def floor(text: str) -> None:
    """Read and check the document, sort the graph, and take one Merkle key per node."""
    document = Document.model_validate_json(text)
    entries = document.nodes
    graph = nx.DiGraph()
    graph.add_nodes_from(entries)
    for name, entry in entries.items():
        graph.add_edges_from((link, name) for link in map(link_of, entry.inputs.values()) if link in entries)
    keys: dict[str, str] = {}
    for name in nx.topological_sort(graph):
        entry = entries[name]
        inputs = {port: _keyed(value, keys) for port, value in entry.inputs.items()}
        text = json.dumps([entry.type, inputs], sort_keys=True, separators=(",", ":"))
        keys[name] = hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


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
