"""Subgraphs as typed functions in Python, where that keeps their definition whole; else None."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from nodegraph.declare import NodeType
from nodegraph.graph.calls import Local, Names, is_name, python_text, same
from nodegraph.graph.definitions import written_type
from nodegraph.graph.document import SubgraphEntry, literal_of
from nodegraph.graph.export_scope import Scope
from nodegraph.graph.subgraphs import SEED, outside, parse_type
from nodegraph.registry import Registry
from nodegraph.sockets import (
    ChoiceType,
    FileType,
    ListType,
    Menu,
    OptionalType,
    Scalar,
    SocketType,
    ValueType,
)

Data = Mapping[str, Any]
_SCALARS = {"bool": "bool", "int": "int", "float": "float", "text": "str"}
_FIELDS = {"version", "title", "inputs", "outputs", "nodes"}


@dataclass(frozen=True, slots=True)
class Function:
    """A definition that can be written as a function, and how."""

    local: Local
    lines: Sequence[str]


def uses(definition: Data) -> Iterator[str]:
    """The names of the definitions that one may use, as a type or as a body."""
    for entry in definition["nodes"].values():
        for value in (entry["type"], *map(literal_of, entry.get("inputs", {}).values())):
            if isinstance(value, str) and value.startswith("#"):
                yield value[1:]


def function_of(
    name: str, definition: Data, names: Names, registry: Registry, subgraphs: Mapping[str, Local]
) -> Function | None:
    """A definition as a function; None if that would not give the same one."""
    inputs: Data = definition.get("inputs", {})
    outputs: Data = definition.get("outputs", {})
    if not _is_plain(definition, inputs, outputs):
        return None
    classes = registry.codecs.classes()
    parameters = {key: _parameter(key, entry, names, classes) for key, entry in inputs.items()}
    results = {
        key: _annotation(entry["type"], names, classes) if entry["type"] != SEED else None
        for key, entry in outputs.items()
    }
    if None in parameters.values() or None in results.values():
        return None
    variable, inner = names.variable(name), Names(names)
    graph = inner.variable("s")
    scope = Scope(graph, definition["nodes"], inner, registry, subgraphs, {key: key for key in inputs})
    scope.say_nodes()
    returned = {key: scope.reference(entry["from"]) for key, entry in outputs.items()}
    options = [] if variable == name else [f"name={python_text(name)}"]
    lines: list[str] = []
    if len(results) == 1:
        ((output, result),) = results.items()
        options += [] if output == "result" else [f"output={python_text(output)}"]
        ending = f"return {returned[output]}"
    elif results:
        result = names.variable("".join(part.capitalize() for part in variable.split("_")) + "Result")
        lines = [f"class {result}({names.module('typing')}.NamedTuple):"]
        lines += [f"    {key}: {annotation}" for key, annotation in results.items()] + ["", ""]
        ending = f"return {result}({', '.join(f'{key}={value}' for key, value in returned.items())})"
    else:
        result, ending = "None", "" if definition["nodes"] else "pass"
    options += [f"{key}={python_text(definition[key])}" for key in ("title", "version") if key in definition]
    lines.append(f"@g.subgraph({', '.join(options)})" if options else "@g.subgraph")
    signature = ", ".join([f"{graph}: Graph", *_in_order(inputs, parameters)])
    lines.append(f"def {variable}({signature}) -> {result}:")
    body = [*scope.lines(), *([ending] if ending else [])]
    lines += [f"    {line}" if line else "" for text in body for line in text.split("\n")]
    type_ = outside(f"#{name}", SubgraphEntry.model_validate(definition), registry)
    fields = None if len(results) == 1 else tuple(results)
    return Function(Local(variable, type_, _signature(type_), fields), lines)


def _is_plain(definition: Data, inputs: Data, outputs: Data) -> bool:
    """Whether the builder has words for everything in it."""
    known = definition.keys() <= _FIELDS and None not in definition.values()
    empty = any(key in definition and not definition[key] for key in ("inputs", "outputs"))
    named = all(map(is_name, [*inputs, *outputs])) and not any(key.startswith("_") for key in outputs)
    plain = all(
        entry.keys() <= {"type", "default", "help"} and entry.get("help", "-") for entry in inputs.values()
    )
    return known and not empty and named and plain and all(
        entry.keys() <= {"type", "from"} for entry in outputs.values()
    )  # fmt: skip


def _parameter(name: str, entry: Data, names: Names, classes: Mapping[str, type]) -> str | None:
    """A parameter with its annotation and default."""
    annotation = _annotation(entry["type"], names, classes)
    if annotation is None or ("default" in entry and entry["default"] is None and "None" not in annotation):
        return None
    if "help" in entry:
        field = f"{names.module('pydantic')}.Field(description={python_text(entry['help'])})"
        annotation = f"{names.module('typing')}.Annotated[{annotation}, {field}]"
    default = f" = {python_text(entry['default'])}" if "default" in entry else ""
    return f"{name}: {annotation}{default}"


def _in_order(inputs: Data, parameters: Mapping[str, str | None]) -> Iterator[str]:
    """The parameters in their order; by name only from where one without default follows one with."""
    starred, seen = False, False
    for name, text in parameters.items():
        if seen and "default" not in inputs[name] and not starred:
            yield "*"
            starred = True
        seen = seen or "default" in inputs[name]
        yield text or ""


def _signature(type_: NodeType) -> list[Parameter]:
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=Parameter.empty if spec.required else spec.default)
        for name, spec in type_.inputs.items()
    ]


def _annotation(written: Any, names: Names, classes: Mapping[str, type]) -> str | None:
    """The annotation of a socket type as documents write it; None if there is none that says the same."""
    if written == SEED:
        return f"{names.module('nodegraph.marks')}.Seed"
    try:
        type_ = parse_type(written, classes)
    except ValueError:
        return None
    return _text(type_, names) if same(written_type(type_), written) else None


def _text(type_: SocketType, names: Names) -> str | None:
    match type_:
        case Scalar(name):
            return _SCALARS[name]
        case Menu(options):
            return f"{names.module('typing')}.Literal[{', '.join(map(python_text, options))}]"
        case ChoiceType(which):
            return _marked("str", f"Choice({python_text(which)})", names)
        case FileType(kind):
            return _marked("str", f"File({python_text(kind)})", names)
        case ListType(item, wraps):
            inner = _text(item, names)
            whole = f"list[{inner}]"
            return None if inner is None else _marked(whole, "OneOrMany()", names) if wraps else whole
        case OptionalType(item):
            inner = _text(item, names)
            return f"{inner} | None" if inner is not None else None
        case ValueType(cls):
            known = getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls
            return f"{names.module(cls.__module__)}.{cls.__name__}" if known else None
    return None


def _marked(base: str, mark: str, names: Names) -> str:
    return f"{names.module('typing')}.Annotated[{base}, {names.module('nodegraph.marks')}.{mark}]"
