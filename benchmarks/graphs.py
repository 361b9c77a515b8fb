"""The graphs that the engine is measured with: trivial nodes in several shapes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nodegraph import hookimpl, node

Links = Mapping[str, str]
DEPTH = 10  # levels of the nested subgraphs


@node("bench.add", lane="inline")
def add(a: int = 0, b: int = 0, c: int = 1) -> int:
    """Add: the most trivial node there is."""
    return a + b + c


class Pack:
    """The one node of this benchmark."""

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return [add]


@dataclass(frozen=True)
class Shape:
    """A kind of graph; `document(count, last)` has `count` nodes and the number `last` in its last one."""

    name: str
    document: Callable[[int, int], dict[str, Any]]

    def text(self, count: int, last: int = 1) -> str:
        """The workflow as JSON."""
        return json.dumps(self.document(count, last))


def _flat(links: Callable[[int], Links], every_output: bool = False) -> Callable[[int, int], dict[str, Any]]:
    def document(count: int, last: int) -> dict[str, Any]:
        nodes = {f"n{index}": _entry(links(index), index) for index in range(count - 1)}
        nodes[f"n{count - 1}"] = _entry(links(count - 1), count + last)
        shown = nodes if every_output else [f"n{count - 1}"]
        return {"nodegraph": 1, "nodes": nodes, "outputs": {f"o_{name}": {"from": name} for name in shown}}

    return document


def _entry(links: Links, number: int) -> dict[str, Any]:
    inputs: dict[str, Any] = {name: {"from": source} for name, source in links.items()}
    return {"type": "bench.add", "inputs": {**inputs, "c": number}}


def _chain(index: int) -> Links:
    """Each node reads the one before it."""
    return {"a": f"n{index - 1}"} if index else {}


def _fan(index: int) -> Links:
    """All nodes read the first one."""
    return {"a": "n0"} if index else {}


def _random(index: int) -> Links:
    """Each node reads two of those before it, near ones more often."""
    if not index:
        return {}
    chance = random.Random(index)  # noqa: S311 - the same graph every time
    return {name: f"n{int(index * chance.random() ** 0.25)}" for name in ("a", "b")}


def _nested(count: int, last: int) -> dict[str, Any]:
    """A chain that is cut into subgraphs of 100 nodes, each ten levels deep inside wrappers."""
    definitions: dict[str, Any] = {}
    chain: dict[str, Any] = {}
    for index in range(100):
        read = {"a": {"from": f"n{index - 1}"} if index else {"input": "a"}}
        chain[f"n{index}"] = {"type": "bench.add", "inputs": {**read, "b": {"input": "b"}, "c": index}}
    for level in range(DEPTH):
        inner = chain if level == 0 else {"in": _use(level - 1, {"a": {"input": "a"}, "b": {"input": "b"}})}
        definitions[f"level{level}"] = {
            "inputs": {"a": {"type": "int"}, "b": {"type": "int"}},
            "outputs": {"value": {"type": "int", "from": "n99" if level == 0 else "in"}},
            "nodes": inner,
        }
    uses = count // 100
    nodes = {
        f"s{index}": _use(
            DEPTH - 1,
            {"a": {"from": f"s{index - 1}"} if index else 0, "b": index + (last if index == uses - 1 else 0)},
        )
        for index in range(uses)
    }
    outputs = {"o": {"from": f"s{uses - 1}"}} if uses else {"o": {"from": "n"}}
    nodes = nodes or {"n": {"type": "bench.add", "inputs": {}}}
    return {"nodegraph": 1, "nodes": nodes, "outputs": outputs, "subgraphs": definitions}


def _use(level: int, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": f"#level{level}", "inputs": dict(inputs)}


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape("chain", _flat(_chain)),
        Shape("fan", _flat(_fan, every_output=True)),
        Shape("random", _flat(_random)),
        Shape("nested", _nested),
    )
}
