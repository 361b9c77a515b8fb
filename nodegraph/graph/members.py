"""Members of inputs: the values of a growing input and the fields of records, named as problems name them.

`images[1]` is the second value of `*images`, `values.red` one of `**values`, `mode.width` a field of a
record, `modes[0].width` one of a record in a growing input. Named inputs may feed them; seeds may be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from pydantic.fields import FieldInfo

from nodegraph.annotations import socket_type
from nodegraph.declare import InputSpec, NodeType
from nodegraph.errors import DeclarationError
from nodegraph.graph.document import NodeEntry, Step, literal_of, split_port
from nodegraph.graph.growing import unescaped
from nodegraph.graph.variants import model_of
from nodegraph.marks import SeedMark
from nodegraph.sockets import GenericType

Steps = tuple[Step, ...]
Member = tuple[Steps, InputSpec, Any]  # the way to it, what it takes, and what the document holds there


class _Missing:
    """Where a document holds nothing."""


MISSING = _Missing()


def members(spec: InputSpec, given: Any) -> Iterator[Member]:
    """Every member of an input, near or far; `MISSING` for a field that is left to its default."""
    if spec.growing is None:
        whole = spec.json_default if given is MISSING else literal_of(given)
        yield from _fields(spec, whole)
        return
    for step, value in _values(spec, given):
        one = replace(spec, growing=None, name=port_of(spec.name, (step,)), required=True, default=None)
        yield (step,), one, value
        for rest, inner, held in _fields(one, literal_of(value)):
            yield (step, *rest), inner, held


def may_have_members(spec: InputSpec) -> bool:
    """Whether an input has any at all."""
    return spec.growing is not None or spec.has_records


def find(type_: NodeType, entry: NodeEntry, port: str) -> tuple[InputSpec, Any] | None:
    """What an input or a member of one takes, and what the document holds there; None if there is none."""
    return find_at(type_, entry, *split_port(port))


def find_at(type_: NodeType, entry: NodeEntry, name: str, steps: Steps) -> tuple[InputSpec, Any] | None:
    """As `find`, with the way to the member."""
    spec = type_.inputs.get(name)
    if spec is None:
        return None
    given = entry.inputs.get(name, MISSING)
    if not steps:
        return spec, given
    return next((found[1:] for found in members(spec, given) if found[0] == steps), None)


def ports_of(type_: NodeType, entry: NodeEntry) -> list[str]:
    """The inputs of a node and their members, by name."""
    return [
        port_of(name, steps)
        for name, spec in type_.inputs.items()
        for steps in ((), *(one for one, _, _ in members(spec, entry.inputs.get(name, MISSING))))
    ]


def port_of(name: str, steps: Steps) -> str:
    """The name of a member: `images[1].width`."""
    return name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def with_member(spec: InputSpec, given: Any, steps: Steps, value: Any) -> Any:
    """What a document holds for an input whose member is set to a literal. The member must exist."""
    if spec.growing is None:
        whole = spec.json_default if given is MISSING else literal_of(given)
        return _escaped(_with_field(whole, steps, value))
    first, rest = steps[0], steps[1:]
    held = dict(_values(spec, given))
    held[first] = _escaped(_with_field(literal_of(held[first]), rest, value) if rest else value)
    if spec.growing == "list":
        return list(held.values())
    return held if unescaped(held) is held else {"value": held}


def _values(spec: InputSpec, given: Any) -> Iterator[tuple[Any, Any]]:
    if spec.growing == "list":
        return iter(enumerate(given if isinstance(given, list) else ()))
    whole = unescaped(given)
    return iter(whole.items() if isinstance(whole, Mapping) else ())


def _fields(spec: InputSpec, data: Any) -> Iterator[Member]:
    """The fields of a record, and those of records inside; nothing if it is no record, or not clear which."""
    model = model_of(spec.type, data)
    for python_name, field in model.model_fields.items() if model is not None else ():
        name = field.alias or python_name
        inner = _field_spec(f"{spec.name}.{name}", field)
        held = data.get(name, MISSING)
        yield (name,), inner, held
        for steps, deeper, value in _fields(inner, inner.json_default if held is MISSING else held):
            yield (name, *steps), deeper, value


def _field_spec(name: str, field: FieldInfo) -> InputSpec:
    extras = [*field.metadata]
    if isinstance(field.discriminator, str):
        extras.append(Field(discriminator=field.discriminator))
    annotation: Any = Annotated[(field.annotation, *extras)] if extras else field.annotation
    try:
        type_ = socket_type(annotation, name)
    except DeclarationError:  # a tuple, say: the record's model judges it when the whole is there
        type_, annotation = GenericType("value"), Any
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return InputSpec(
        name, type_, annotation, required=field.is_required(),
        default=default, is_seed=any(isinstance(extra, SeedMark) for extra in field.metadata),
    )  # fmt: skip


def _with_field(record: Any, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    return {**record, steps[0]: _with_field(record.get(steps[0], {}), steps[1:], value)}


def _escaped(value: Any) -> Any:
    """A literal as a document holds it: an object that looks like a link is escaped."""
    looks_like_one = isinstance(value, dict) and value.keys() in ({"from"}, {"value"}, {"input"})
    return {"value": value} if looks_like_one else value
