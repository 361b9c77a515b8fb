"""Growing inputs: `*images` is a list in the document, `**values` an object, each value an input of its own.

A node that has one is bound to a type made for it, with an input for every value: `images[0]`, `values.b`.
Everything behind the binding (keys, plan, executor) sees ordinary inputs; the type's function puts them back
together for the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nodegraph.declare import InputSpec, NodeType
from nodegraph.errors import Problem
from nodegraph.graph.document import link_of
from nodegraph.graph.flatnodes import Entry, FlatNode
from nodegraph.sockets import GenericType, ListType, SocketType

Slots = Mapping[str, Any]  # the input's name in problems and keys -> what the document holds there


@dataclass(frozen=True, slots=True)
class Grown:
    """A node with an input for every value that was given to its growing inputs."""

    type: NodeType
    entry: FlatNode
    problems: list[Problem]


def grow(id_: str, type_: NodeType, entry: Entry) -> Grown:
    """The type and the entry of a node with its growing inputs taken apart."""
    specs: dict[str, InputSpec] = {}
    inputs = {name: value for name, value in entry.inputs.items() if not _grows(type_, name)}
    layout = _Layout(tuple(_before_growing(type_)), _positional_only(type_), [], {})
    problems: list[Problem] = []
    each = {body.each for body in type_.body_inputs.values()}
    for name, spec in type_.inputs.items():
        if spec.growing is None:
            specs[name] = spec
            continue
        given = _values(spec, entry.inputs.get(name, spec.default))
        if isinstance(given, str):
            problems.append(_wrong(id_, entry, name, given, entry.inputs[name]))
            continue
        for key, value in given.items():
            slot = f"{name}[{key}]" if spec.growing == "list" else f"{name}.{key}"
            if spec.growing == "named" and (key in type_.inputs or key == type_.context_parameter):
                problems.append(_wrong(id_, entry, slot, "another name: an input is called so", key))
                continue
            if name in each and any(key in dict(body.takes) for body in type_.body_inputs.values()):
                problems.append(
                    _wrong(id_, entry, slot, "another name: the subgraph is given it already", key)
                )
                continue
            one = _of_its_own(spec.type, str(key)) if name in each else spec.type
            specs[slot] = replace(spec, name=slot, type=one, growing=None, required=True, default=None)
            inputs[slot] = value
            if spec.growing == "list":
                layout.listed.append(slot)
            else:
                layout.named[slot] = str(key)
    for name, body in type_.body_inputs.items():
        if body.each:
            specs[name] = replace(
                specs[name], type=replace(body, takes=body.takes + _taken(body.each, specs))
            )
    cache = type_.cache
    grown = replace(
        type_, inputs=specs, function=layout.caller(type_.function),
        cache=(lambda params: cache(layout.together(type_, params))) if callable(cache) else cache,
    )  # fmt: skip
    return Grown(grown, FlatNode(entry.type, inputs, entry.version, entry.title), problems)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where each value stands in the call: before the growing list, in it, or by name."""

    leading: tuple[str, ...]
    positional_only: tuple[str, ...]
    listed: list[str]
    named: dict[str, str]

    def caller(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as one of all inputs by name."""

        def call(**values: Any) -> Any:
            first = (*self.leading, *self.listed) if self.listed else self.positional_only
            positional = [values.pop(name) for name in first]
            for slot, key in self.named.items():
                values[key] = values.pop(slot)
            return function(*positional, **values)

        async def call_later(**values: Any) -> Any:
            return await call(**values)

        return call_later if inspect.iscoroutinefunction(function) else call

    def together(self, type_: NodeType, params: Slots) -> dict[str, Any]:
        """The literals by the names of the node's own inputs; links are left out."""
        slots = {*self.listed, *self.named}
        whole: dict[str, Any] = {name: value for name, value in params.items() if name not in slots}
        for name, spec in type_.inputs.items():
            if spec.growing == "list":
                whole[name] = [params[slot] for slot in self.listed if slot in params]
            elif spec.growing == "named":
                whole[name] = {key: params[slot] for slot, key in self.named.items() if slot in params}
        return whole


def _of_its_own(type_: SocketType, key: str) -> SocketType:
    """The type with type variables that only this value has: lists beside each other may hold anything."""
    match type_:
        case GenericType(name):
            return GenericType(f"{name}.{key}")
        case ListType(item, wraps):
            return ListType(_of_its_own(item, key), wraps)
    return type_


def _taken(growing: str, specs: Mapping[str, InputSpec]) -> tuple[tuple[str, SocketType], ...]:
    """What a body is given of each list of a growing input, by name."""
    prefix = f"{growing}."
    lists = {slot.removeprefix(prefix): spec.type for slot, spec in specs.items() if slot.startswith(prefix)}
    return tuple((name, type_.item) for name, type_ in lists.items() if isinstance(type_, ListType))


def _grows(type_: NodeType, name: str) -> bool:
    return name in type_.inputs and type_.inputs[name].growing is not None


def _before_growing(type_: NodeType) -> list[str]:
    """The parameters that must be given by position where a growing list is."""
    names: list[str] = []
    for name, parameter in inspect.signature(type_.function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return names
        names.append(name)
    return []


def _positional_only(type_: NodeType) -> tuple[str, ...]:
    parameters = inspect.signature(type_.function).parameters.values()
    return tuple(one.name for one in parameters if one.kind is one.POSITIONAL_ONLY)


def _values(spec: InputSpec, given: Any) -> Mapping[Any, Any] | str:
    """The values of a growing input by index or name; or what was expected."""
    if spec.growing == "list":
        return dict(enumerate(given)) if isinstance(given, list) else "a list of values or links"
    whole = unescaped(given)
    fits = isinstance(whole, Mapping) and link_of(whole) is None and all(whole)
    return whole if fits else "an object of values or links"


def unescaped(given: Any) -> Any:
    """What is given to `**values`: `{"value": {…}}` stands for the object inside, unless that is a link."""
    if isinstance(given, Mapping) and given.keys() == {"value"} and isinstance(given["value"], Mapping):
        return given if link_of(given["value"]) is not None else given["value"]
    return given


def _wrong(id_: str, entry: Entry, name: str, expected: str, found: Any) -> Problem:
    message = "a growing input is given in another form"
    return Problem("wrong_type", message, id_, entry.title, name, expected, repr(found)[:60])
