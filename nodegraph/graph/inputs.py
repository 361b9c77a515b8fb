"""Named inputs: a workflow as a function. Values are checked against the sockets that they feed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nodegraph.declare import InputSpec
from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph import literals
from nodegraph.graph.document import (
    Document,
    NodeEntry,
    literal_of,
    split_port,
    split_reference,
    with_values,
)
from nodegraph.graph.literals import FileNames
from nodegraph.graph.members import MISSING, Steps, find, find_at, may_have_members, members, with_member
from nodegraph.graph.subgraphs import type_of
from nodegraph.registry import Registry, suggest
from nodegraph.sockets import OptionalType, Scalar, SocketType

RANDOM = "random"
Place = tuple[str, str, Steps]  # a node, an input, and the way to a member of it


def input_specs(document: Document, registry: Registry) -> dict[str, InputSpec]:
    """The socket behind every named input (the first place that it feeds)."""
    specs: dict[str, InputSpec] = {}
    for name, entry in document.inputs.items():
        for reference in entry.to:
            node, port = split_reference(reference)
            fed = document.nodes.get(node)
            type_ = type_of(fed, document, registry) if fed is not None else None
            found = find(type_, fed, port) if fed is not None and type_ is not None and port else None
            if found is not None:
                specs.setdefault(name, found[0])
    return specs


def apply_inputs(
    document: Document, values: Mapping[str, Any], registry: Registry, files: FileNames
) -> Document:
    """The document with its named inputs set. WorkflowError lists every value that does not fit."""
    problems: list[Problem] = []
    places: dict[Place, Any] = {}
    specs = input_specs(document, registry)
    for name, value in values.items():
        if name not in document.inputs:
            remedy = suggest(name, document.inputs) or "The workflow has no named inputs."
            problems.append(Problem("unknown_input", f"the workflow has no input '{name}'", remedy=remedy))
            continue
        problem = _problem(name, specs.get(name), value, registry, files)
        if problem is not None:
            problems.append(problem)
            continue
        for reference in document.inputs[name].to:
            node, port = split_reference(reference)
            if node in document.nodes and port is not None:
                places[node, *split_port(port)] = value
    if problems:
        raise WorkflowError(problems)
    return document.model_copy(update={"nodes": _set(document.nodes, places, document, registry)})


def _set(
    nodes: Mapping[str, NodeEntry], places: Mapping[Place, Any], document: Document, registry: Registry
) -> dict[str, NodeEntry]:
    """The same nodes with literals at these places. The binder says which places do not exist."""
    whole = {(node, name): value for (node, name, steps), value in places.items() if not steps}
    changed = with_values(nodes, whole)
    for (node, name, steps), value in places.items():
        entry = changed[node]
        type_ = type_of(entry, document, registry) if steps else None
        if type_ is None or find_at(type_, entry, name, steps) is None:
            continue
        held = with_member(type_.inputs[name], entry.inputs.get(name, MISSING), steps, value)
        changed[node] = entry.model_copy(update={"inputs": {**entry.inputs, name: held}})
    return changed


def _problem(
    name: str, spec: InputSpec | None, value: Any, registry: Registry, files: FileNames
) -> Problem | None:
    if spec is None or (spec.is_seed and value == RANDOM):
        return None
    try:
        literals.coerce(spec, value, registry, files)
    except literals.LiteralError as error:
        return Problem(
            error.code, error.message, input=name + error.place, expected=error.expected, found=error.found,
            remedy=error.remedy or None,
        )  # fmt: skip
    return None


def draw_seed() -> int:
    """A new seed: 32 bits, which people can still type."""
    return secrets.randbits(32)


def resolve_seeds(document: Document, registry: Registry, draw: Callable[[], int]) -> Document:
    """The document with every seed that is written as "random" replaced by a drawn one, wherever it stands.

    Seeds that are fed by one named input get one value, so that they stay in step. A seed inside a
    subgraph's definition is drawn once for all its uses.
    """
    shared: dict[Place, str] = {}
    for name, entry in document.inputs.items():
        for reference in entry.to:
            node, port = split_reference(reference)
            shared[node, *split_port(port or "")] = name
    drawn: dict[str | Place, int] = {}
    places: dict[Place, int] = {}
    for place in _random_seeds(document.nodes, document, registry):
        group = shared.get(place, place)
        if group not in drawn:
            drawn[group] = draw()
        places[place] = drawn[group]
    definitions = {
        name: definition.model_copy(update={"nodes": _set(definition.nodes, inner, document, registry)})
        for name, definition in document.subgraphs.items()
        if (inner := {place: draw() for place in _random_seeds(definition.nodes, document, registry)})
    }
    if places:
        document = document.model_copy(update={"nodes": _set(document.nodes, places, document, registry)})
    if definitions:
        document = document.model_copy(update={"subgraphs": {**document.subgraphs, **definitions}})
    return document


def _random_seeds(nodes: Mapping[str, NodeEntry], document: Document, registry: Registry) -> Iterator[Place]:
    kinds = {entry.type for entry in nodes.values()}
    if not any(_may_hold_seeds(kind, registry) for kind in kinds):
        return
    for node, entry in nodes.items():
        type_ = type_of(entry, document, registry)
        for name, spec in type_.inputs.items() if type_ else ():
            if spec.is_seed and spec.growing is None and literal_of(entry.inputs.get(name)) == RANDOM:
                yield node, name, ()
            elif may_have_members(spec) and name in entry.inputs:
                for steps, one, held in members(spec, entry.inputs[name]):
                    if one.is_seed and literal_of(held) == RANDOM:
                        yield node, name, steps


def _may_hold_seeds(kind: str, registry: Registry) -> bool:
    type_ = registry.nodes.get(kind)
    specs = type_.inputs.values() if type_ is not None else ()
    return kind.startswith("#") or any(spec.is_seed or may_have_members(spec) for spec in specs)


def current_values(document: Document, registry: Registry) -> dict[str, Any]:
    """The value of every named input as the document stands, with defaults of the nodes filled in."""
    values: dict[str, Any] = {}
    for name, entry in document.inputs.items():
        for reference in entry.to[:1]:
            node, port = split_reference(reference)
            fed = document.nodes.get(node)
            type_ = type_of(fed, document, registry) if fed is not None else None
            found = find(type_, fed, port) if fed is not None and type_ is not None and port else None
            if found is not None:
                spec, held = found
                values[name] = literal_of(spec.json_default if held is MISSING else held)
            else:
                values[name] = literal_of(fed.inputs.get(port or "")) if fed is not None else None
    return values


def parse_text(spec: InputSpec, text: str) -> Any:
    """A value typed on a command line: text stays text, everything else is read as JSON where it can be."""
    if _takes_text(spec.type) or (spec.is_seed and text == RANDOM):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _takes_text(type_: SocketType) -> bool:
    inner = type_.item if isinstance(type_, OptionalType) else type_
    return inner.has_literal and (inner == Scalar("text") or inner.to_json()["type"] in ("choice", "file"))
