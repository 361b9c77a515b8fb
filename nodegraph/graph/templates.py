"""What one definition's nodes have in common wherever it is used, worked out once.

A subgraph that is used a thousand times is placed a thousand times. Which of its inputs are plain values,
which are links to neighbours that are simply there, and which need a look at each place is always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from nodegraph.graph.document import NodeEntry, link_of

PLAIN = frozenset({str, int, float, bool, type(None)})  # neither links nor holds any


class Template(Struct):
    """One node of a definition: its entry, and its inputs by what placing them takes."""

    id: str
    entry: NodeEntry
    simple: bool
    """Neither a subgraph nor muted nor bypassed: placed as it stands."""
    near: tuple[tuple[str, str], ...]
    """Links to simple nodes of the same definition: inputs and references, which only want the prefix."""
    given: tuple[tuple[str, str], ...]
    """Inputs that read an input of the definition, and its name."""
    rest: tuple[tuple[str, Any], ...]
    """Links to other nodes, lists and objects."""
    open: tuple[str, ...]
    """The inputs of `given` and `rest`, behind which a link to anything may be."""


def templates_of(nodes: Mapping[str, NodeEntry], *, inside: bool) -> list[Template]:
    """The templates of all nodes of a definition (inside), or of the top level, in their order."""
    simple = {id_ for id_, entry in nodes.items() if _is_simple(entry)}
    return [_template(id_, entry, simple, inside) for id_, entry in nodes.items()]


def argument_of(value: Any) -> str | None:
    """The name in `{"input": "name"}`, by which a node in a subgraph reads an input of it; or None."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("input"), str):
        return str(value["input"])
    return None


def _is_simple(entry: NodeEntry) -> bool:
    return not entry.mode and not entry.type.startswith("#")


def _template(id_: str, entry: NodeEntry, simple: set[str], inside: bool) -> Template:
    near: list[tuple[str, str]] = []
    given: list[tuple[str, str]] = []
    rest: list[tuple[str, Any]] = []
    for name, value in entry.inputs.items():
        if type(value) in PLAIN:
            continue
        reference, argument = link_of(value), argument_of(value) if inside else None
        if reference is not None and reference.partition(".")[0] in simple:
            near.append((name, reference))
        elif argument is not None:
            given.append((name, argument))
        else:
            rest.append((name, value))
    open_ = (*(name for name, _ in given), *(name for name, _ in rest))
    return Template(id_, entry, id_ in simple, tuple(near), tuple(given), tuple(rest), open_)
