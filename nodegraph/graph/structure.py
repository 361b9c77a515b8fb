"""What is wrong with the structure of a document, in words, and what of it is whole.

A document is validated by one call. Only where that fails is it looked at part by part: what is broken is
named with its place, and the rest is kept for the checks that come after, so that a user hears of everything
at once. A node that cannot be read stands as a `DamagedEntry`, about which nobody says more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from nodegraph.errors import Problem, brief
from nodegraph.graph.document import DamagedEntry, Document, NodeEntry, SubgraphEntry

Place = tuple[str, ...]
_KEY = "[key]"
_EXPECTED = {
    "string_type": "text",
    "string_pattern_mismatch": 'a reference: "node.output", "node.input" or "node"',
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "list_type": "a list",
}
_REMEDIES = {
    "nodes": 'Write {"type": "…", "inputs": {…}} under the name of each node.',
    "type": 'Write the id of a node type: "type": "image.load". `nodegraph nodes` lists them.',
    "inputs": "Write each input under its name.",
    "mode": "Leave it out for a node that runs as usual.",
    "version": "Leave it out for version 1.",
    "outputs": 'Write {"from": "node.output"} under the name of each output.',
    "from": 'Write "from": "node.output".',
    "to": 'Write "to": ["node.input"].',
}
_SOCKET_TYPE = 'a socket type: "image", or {"type": "list", "item": {"type": "image"}}'


def structure_problems(error: ValidationError) -> list[Problem]:
    """Every place that is broken, once, with what belongs there, what stands there, and what to do."""
    found: dict[Place, Problem] = {}
    for item in error.errors(include_url=False):
        place = _place(item["loc"])
        found.setdefault(place, _problem(place, item))
    return list(found.values())


def healthy_rest(data: Mapping[str, Any], error: ValidationError) -> Document | None:
    """The document without what is broken; None where too little is left to be judged."""
    places = [_place(item["loc"]) for item in error.errors(include_url=False, include_input=False)]
    if any(place in ((), ("nodes",)) for place in places):
        return None
    try:
        return _without(data, places)
    except ValidationError:  # of data that was no JSON
        return None


def _place(loc: Sequence[int | str]) -> Place:
    """Where an error is. Of a union, pydantic names what it tried last."""
    place = tuple(map(str, loc))
    return place[:-1] if len(place) > 1 and place[-2] == "type" else place


def _problem(place: Place, item: Any) -> Problem:
    node = _node(place)
    if place[-1:] == (_KEY,):
        return _bad_name(place[-2])
    where = ".".join(place) or "the document"
    field = next((part for part in reversed(place) if part in _REMEDIES), "")
    remedy = _REMEDIES.get(field if field in place[-2:] else "")
    if item["type"] == "missing":
        return Problem("missing_field", f"'{where}' is missing", node=node, remedy=remedy)
    return Problem(
        "bad_field", f"'{where}' is not valid", node=node, expected=_expected(place, item),
        found=brief(item["input"]), remedy=remedy,
    )  # fmt: skip


def _node(place: Place) -> str | None:
    """The node in which a place is; one of a subgraph as `#subgraph/node`."""
    match place:
        case ("nodes", id_, *_):
            return id_
        case ("subgraphs", name, "nodes", id_, *_):
            return f"#{name}/{id_}"
    return None


def _bad_name(name: str) -> Problem:
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name) or "node"
    plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
    return Problem(
        "bad_name", f"'{name}' is not a node id",
        expected="letters, digits, _ and -, not starting with a digit", found=brief(name),
        remedy=f"Call it '{plain}', also where it is linked.",
    )  # fmt: skip


def _expected(place: Place, item: Any) -> str:
    if place[:1] == ("subgraphs",) and place[-1] == "type" and "nodes" not in place:
        return _SOCKET_TYPE
    if item["type"] == "literal_error":
        return str(item["ctx"]["expected"]).replace("'", '"')
    return _EXPECTED.get(item["type"], "an object")


def _without(data: Mapping[str, Any], places: Sequence[Place]) -> Document:
    fields = {name: value for name, value in data.items() if (name,) not in places}
    for name in ("inputs", "outputs"):
        broken = {place[1] for place in places if place[0] == name and len(place) > 1}
        if broken and name in fields:
            fields[name] = {id_: entry for id_, entry in fields[name].items() if id_ not in broken}
    written = fields.pop("subgraphs", {})
    subgraphs = {name: _subgraph(entry, _below(places, "subgraphs", name)) for name, entry in written.items()}
    lost = {f"#{name}" for name, entry in subgraphs.items() if entry is None}
    whole = {
        name: entry.model_copy(update={"nodes": _unused(entry.nodes, lost)})
        for name, entry in subgraphs.items()
        if entry is not None
    }
    nodes = _unused(_nodes(data["nodes"], _below(places, "nodes")), lost)
    document = Document.model_validate({**fields, "nodes": {}})
    return document.model_copy(update={"nodes": nodes, "subgraphs": whole})


def _below(places: Iterable[Place], *start: str) -> list[Place]:
    """The places under another one, as seen from there."""
    return [place[len(start) :] for place in places if place[: len(start)] == start]


def _subgraph(entry: Any, places: Sequence[Place]) -> SubgraphEntry | None:
    """A definition whose nodes alone may be broken; None if anything else of it is."""
    if any(len(place) < 2 or place[0] != "nodes" for place in places):
        return None
    definition = SubgraphEntry.model_validate({**entry, "nodes": {}})
    return definition.model_copy(update={"nodes": _nodes(entry["nodes"], _below(places, "nodes"))})


def _nodes(entries: Mapping[str, Any], places: Sequence[Place]) -> dict[str, NodeEntry]:
    """The nodes without their broken fields; one without a type or inputs is damaged as a whole."""
    broken: dict[str, set[str]] = {}
    for id_, *inside in places:
        broken.setdefault(id_, set()).add(inside[0] if inside else "type")
    return {
        id_: DamagedEntry(type="")
        if {"type", "inputs"} & broken.get(id_, set())
        else NodeEntry.model_validate(
            {name: value for name, value in entry.items() if name not in broken.get(id_, ())}
        )
        for id_, entry in entries.items()
    }


def _unused(nodes: Mapping[str, NodeEntry], lost: set[str]) -> dict[str, NodeEntry]:
    """The nodes, damaged where they use a definition that is."""
    return {
        id_: DamagedEntry(type="") if lost and _uses(entry, lost) else entry for id_, entry in nodes.items()
    }


def _uses(entry: NodeEntry, lost: set[str]) -> bool:
    names = (entry.type, *(value for value in entry.inputs.values() if isinstance(value, str)))
    return not lost.isdisjoint(names)
