"""What a control node depends on through the bodies that it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nodegraph.execution.keys import digest
from nodegraph.graph.binding import BoundGraph, BoundNode

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Traits:
    """What the bodies of a control node are made of.

    digest: of all definitions that they use; files: (kind, name) of every file named inside; weights: a
    node inside computes with weights; volatile: one gives new results every time; effects: one is run for
    its effect, so that the control node is too.
    """

    digest: str
    files: frozenset[Pair]
    weights: bool
    volatile: bool
    effects: bool


def traits_of(graph: BoundGraph, node: BoundNode) -> Traits:
    """The traits of all bodies of a control node."""
    inner = list(_inner_nodes(graph, node))
    used: dict[str, object] = {}
    for name in _body_names(node):
        used.update(graph.bodies[name].definitions)
    return Traits(
        digest=digest(used),
        files=frozenset(pair for one in inner for pair in files_named(one).values()),
        weights=any(one.type.lane == "device" for one in inner),
        volatile=any(one.type.cache == "volatile" for one in inner),
        effects=any(one.type.output for one in inner),
    )


def files_named(node: BoundNode) -> dict[str, Pair]:
    """The (kind, name) behind every input of a node that names a file."""
    named = ((input_, kind, node.params.get(input_)) for input_, kind in node.type.file_inputs.items())
    return {input_: (kind, name) for input_, kind, name in named if name is not None}


def _body_names(node: BoundNode) -> list[str]:
    return [
        node.params[input_].removeprefix("#") for input_ in node.type.body_inputs if input_ in node.params
    ]


def _inner_nodes(graph: BoundGraph, node: BoundNode) -> Iterator[BoundNode]:
    """Every node of the bodies that a control node runs, and of the bodies that those run."""
    seen: set[str] = set()
    stack = _body_names(node)
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        for inner in graph.bodies[name].graph.nodes.values():
            yield inner
            stack.extend(_body_names(inner))
