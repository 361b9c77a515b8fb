"""What a control node depends on through the bodies that it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nodegraph.execution.keys import digest
from nodegraph.graph.binding import BoundGraph, BoundNode

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Traits:
    """What the bodies of a control node are made of.

    digest: of all definitions that they use; files: (kind, name) of every file named inside; watching: the
    nodes inside that have a fingerprint; choosing: those that take a name from an open registry; weights: a
    node inside computes with weights; volatile: one gives new results every time; effects: one is run for
    its effect, so that the control node is too; code: the digests of the third-party packs that the nodes
    inside come from.
    """

    digest: str
    files: frozenset[Pair]
    watching: tuple[BoundNode, ...]
    choosing: tuple[BoundNode, ...]
    weights: bool
    volatile: bool
    effects: bool
    code: tuple[str, ...]


def traits_by_node(graph: BoundGraph) -> Mapping[str, Traits]:
    """The traits of every control node of a graph."""
    return {node.id: traits_of(graph, node) for node in graph.control_nodes}


def traits_of(graph: BoundGraph, node: BoundNode) -> Traits:
    """The traits of all bodies of a control node."""
    names = _all_body_names(graph, node)
    inner = [one for name in names for one in graph.bodies[name].graph.nodes.values()]
    used: dict[str, object] = {}
    for name in names:
        used.update(graph.bodies[name].definitions)
    return Traits(
        digest=digest(used),
        files=frozenset(pair for one in inner for pair in files_named(one).values()),
        watching=tuple(one for one in inner if callable(one.type.cache)),
        choosing=tuple(one for one in inner if one.type.choice_inputs),
        weights=any(one.type.lane == "device" for one in inner),
        volatile=any(one.type.cache == "volatile" for one in inner),
        effects=any(one.type.output for one in inner),
        code=tuple(sorted({one.type.code for one in inner if one.type.code})),
    )


def files_named(node: BoundNode) -> dict[str, Pair]:
    """The (kind, name) behind every input that names a file, and of the files that literals mention."""
    named = ((input_, kind, node.params.get(input_)) for input_, kind in node.type.file_inputs.items())
    found = {input_: (kind, name) for input_, kind, name in named if name is not None}
    found.update({f"@file {kind}/{name}": (kind, name) for kind, name in node.mentioned})
    return found


def code_chosen(nodes: Iterable[BoundNode], code: Mapping[Pair, str]) -> list[str]:
    """The digests of the third-party packs whose choices these nodes name, by registry and name.

    A name that comes over a link may be any of its registry.
    """
    found: set[str] = set()
    for node in nodes:
        for input_, registries in node.type.choice_inputs.items():
            names = _names_in(node.params.get(input_)) if input_ not in node.links else None
            found.update(
                digest_
                for (registry, name), digest_ in code.items()
                if registry in registries and (names is None or name in names)
            )
    return sorted(found)


def _names_in(value: object) -> set[str]:
    items = value if isinstance(value, list | tuple) else [value]
    return {item for item in items if isinstance(item, str)}


def _body_names(node: BoundNode) -> list[str]:
    return [
        node.params[input_].removeprefix("#") for input_ in node.type.body_inputs if input_ in node.params
    ]


def _all_body_names(graph: BoundGraph, node: BoundNode) -> list[str]:
    """The bodies that a control node runs, and those that these run, as bound: however they are written."""
    seen: dict[str, None] = {}
    stack = _body_names(node)
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen[name] = None
        for inner in graph.bodies[name].graph.nodes.values():
            stack.extend(_body_names(inner))
    return list(seen)
