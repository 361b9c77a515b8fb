"""Subgraphs in Python: a function of a graph and typed values is a definition, `#name` in the document.

Its parameters are the definition's inputs, what it returns its outputs. It is called once, with a graph of
its own and with what stands for the inputs, and records the nodes inside.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, NoReturn, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from nodegraph.annotations import socket_type
from nodegraph.declare import NodeType, OutputSpec
from nodegraph.errors import DeclarationError, InputError
from nodegraph.graph.proxies import Argument, Output, plain
from nodegraph.graph.subgraphs import SEED
from nodegraph.marks import SeedMark
from nodegraph.sockets import SocketType

P = ParamSpec("P")
R = TypeVar("R")
Entries = dict[str, dict[str, Any]]


class Subgraph(Generic[P, R]):
    """A definition of one graph. `g(subgraph)(…)` records a node of it; loops take it as their body."""

    def __init__(self, definitions: Entries, type_: NodeType) -> None:
        self.definitions = definitions
        self.type = type_

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # noqa: ARG002 - it is for type checkers
        raise TypeError(f"a subgraph is given to a graph: g({self.type.id[1:]})(…)")

    @property
    def gives(self) -> R:
        """What a call returns, for type checkers: a loop reads there what its body gives."""
        raise TypeError(f"{self!r} gives something when it is run")

    def __repr__(self) -> str:
        return f"<subgraph {self.type.id}>"


def read_function(function: Callable[..., Any], output: str, name: str, version: int | None) -> NodeType:
    """What a definition looks like from outside, by its function. The graph is its context."""
    hints = _hints(function)
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise DeclarationError(f"{name}: a subgraph's function takes its graph first", expected="a parameter")
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise DeclarationError(f"{name}: '{parameter.name}' cannot be the input of a subgraph")
        if parameter.name not in hints and parameter is not parameters[0]:
            raise DeclarationError(f"{name}: parameter '{parameter.name}' has no annotation")
    if "return" not in hints:
        raise DeclarationError(f"{name} has no return annotation", remedy="Use '-> None' for none.")
    outputs = {
        key: OutputSpec(key, socket_type(annotation, f"subgraph '{name}', output '{key}'"))
        for key, annotation in _returned(hints["return"], output, function).items()
    }
    return NodeType(
        f"#{name}", function, {}, outputs, context_parameter=parameters[0].name, version=version or 1
    )


def record(type_: NodeType, graph: Any, nodes: Entries) -> dict[str, Any]:
    """The definition as a document holds it. The function is run; `nodes` is what it records in its graph."""
    function, name = type_.function, type_.id[1:]
    hints = _hints(function)
    first, *parameters = inspect.signature(function).parameters.values()
    inputs = {one.name: _input(one, hints[one.name], f"subgraph '{name}'") for one in parameters}
    values = {first.name: graph} | {one.name: Argument(graph, one.name) for one in parameters}
    given = _by_output(function(**values), type_, name)
    outputs = {
        key: {"type": written_type(spec.type), "from": _source(given[key], graph, name)}
        for key, spec in type_.outputs.items()
    }
    return {
        **({"inputs": inputs} if inputs else {}),
        **({"outputs": outputs} if outputs else {}),
        "nodes": nodes,
    }


def written_type(type_: SocketType) -> str | dict[str, Any]:
    """A socket type as documents write it: by its name where that says it all."""
    data = type_.to_json()
    return str(data["type"]) if data.keys() == {"type"} else data


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        name = getattr(function, "__name__", repr(function))
        raise DeclarationError(
            f"{name}: an annotation cannot be resolved: {error}", remedy="Define the name at module level."
        ) from error


def _returned(annotation: Any, output: str, function: Callable[..., Any]) -> dict[str, Any]:
    if annotation is type(None):
        return {}
    named = get_origin(annotation) or annotation
    if hasattr(named, "_fields"):
        try:
            hints = get_type_hints(named, include_extras=True)
        except NameError:  # the class is in no module that was imported: it reads what the function reads
            hints = get_type_hints(named, localns=function.__globals__, include_extras=True)
        return {field: hints[field] for field in named._fields}
    return {output: annotation}


def _input(parameter: inspect.Parameter, annotation: Any, place: str) -> dict[str, Any]:
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    seeds = [index for index, extra in enumerate(extras) if isinstance(extra, SeedMark)]
    own = extras[seeds[-1] + 1 :] if seeds else extras  # a seed's own description is no help for this one
    entry: dict[str, Any] = {
        "type": SEED if seeds else written_type(socket_type(annotation, f"{place}, input '{parameter.name}'"))
    }
    if parameter.default is not parameter.empty:
        entry["default"] = plain(parameter.default, f"{place}, input '{parameter.name}'")
    helps = [extra.description for extra in own if isinstance(extra, FieldInfo) and extra.description]
    return entry | ({"help": helps[-1]} if helps else {})


def _by_output(returned: Any, type_: NodeType, name: str) -> Mapping[str, Any]:
    names = tuple(type_.outputs)
    if not names:
        return {}
    if len(names) == 1 and not isinstance(returned, tuple):
        return {names[0]: returned}
    if not isinstance(returned, tuple) or len(returned) != len(names):
        raise InputError(
            f"the subgraph '{name}' does not return what it declares", code="wrong_type",
            expected=f"a tuple of {', '.join(names)}", found=repr(returned),
        )  # fmt: skip
    return dict(zip(names, returned, strict=True))


def _source(value: Any, graph: Any, name: str) -> str:
    if type(value) is Argument:
        raise InputError(
            f"the subgraph '{name}' returns its input '{value.reference}' as it is", code="wrong_type",
            remedy="Only what nodes inside give can be returned.",
        )  # fmt: skip
    if not isinstance(value, Output):
        raise InputError(
            f"the subgraph '{name}' returns {value!r}", code="wrong_type", expected="the output of a node"
        )
    if value.graph is not graph:
        raise InputError(f"the subgraph '{name}': {value!r} belongs to another graph", code="wrong_graph")
    return value.reference


def refuse(what: str) -> NoReturn:
    """A subgraph has no named inputs or outputs as a workflow has them, and no other fields."""
    raise InputError(
        f"a subgraph has no {what}s as a workflow has them", code="wrong_graph",
        remedy="Its inputs are the parameters of its function, its outputs what that returns.",
    )  # fmt: skip
