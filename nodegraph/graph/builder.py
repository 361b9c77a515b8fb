"""Building a workflow in Python: calling a node records it, and type checkers follow the values.

    g = Graph("blurred")
    picture = g(image_load)(file="example.png")
    g.output("image", g(blur)(picture.image, radius=4.0))
    document = g.document()

`g(blur)` has the parameters of `blur` (a leading `Context` apart) and its result type; what it returns
stands for the value and is given to other nodes. `g.subgraph` makes a definition of a typed function, which
is then recorded as a node or given to a loop. Nothing is ambient: a graph is an object.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Container, Coroutine, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast, get_type_hints, overload

from nodegraph.declare import NodeType, node_type
from nodegraph.errors import InputError
from nodegraph.graph.definitions import Entries, Subgraph, read_function, refuse
from nodegraph.graph.definitions import record as record_subgraph
from nodegraph.graph.document import FORMAT_VERSION, Document, link_of
from nodegraph.graph.growing import unescaped
from nodegraph.graph.loading import load_document
from nodegraph.graph.proxies import NamedInput, NodeHandle, Output, is_proxy, literal
from nodegraph.runtime import Context, Lazy

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Mode = Literal["bypass", "mute"]


class Several(tuple[Any, ...]):
    """What was given to a growing input `*images`."""

    __slots__ = ()


class SeveralNamed(dict[str, Any]):
    """What was given to a growing input `**values`."""


class Graph:
    """A workflow under construction."""

    def __init__(self, name: str = "") -> None:
        self._nodes: dict[str, dict[str, Any]] = {}
        self._inputs: dict[str, dict[str, Any]] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._fields: dict[str, Any] = {"name": name} if name else {}
        self._subgraphs: Entries = {}
        self._inside = ""
        """The name of the subgraph that this graph is the inside of."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]], /, *,
        id: str | None = None, title: str | None = None, mode: Mode | None = None, version: int | None = None,
    ) -> Callable[P, R]: ...  # fmt: skip
    @overload
    def __call__(
        self, function: Callable[Concatenate[Context, P], R], /, *,
        id: str | None = None, title: str | None = None, mode: Mode | None = None, version: int | None = None,
    ) -> Callable[P, R]: ...  # fmt: skip
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /, *,
        id: str | None = None, title: str | None = None, mode: Mode | None = None, version: int | None = None,
    ) -> Callable[P, R]: ...  # fmt: skip
    @overload
    def __call__(
        self, function: Callable[P, R], /, *,
        id: str | None = None, title: str | None = None, mode: Mode | None = None, version: int | None = None,
    ) -> Callable[P, R]: ...  # fmt: skip
    def __call__(
        self, function: Callable[..., Any], /, *,
        id: str | None = None, title: str | None = None, mode: Mode | None = None, version: int | None = None,
    ) -> Callable[..., Any]:  # fmt: skip
        """A recorder of one node: call it with the node's inputs.

        function is one that was decorated with `@node`, or a subgraph of this graph; id names the node in
        the document (default: the node type's id with underscores, numbered from the second on).
        DeclarationError if it is no node.
        """
        if isinstance(function, Subgraph):
            self._check_defined(function)
            type_ = function.type
        else:
            type_ = node_type(function)

        def record(*args: Any, **kwargs: Any) -> Any:
            inputs = _by_name(type_, args, kwargs)
            # A node without a version is one of version 1: old files must stay readable.
            written = version or (type_.version if type_.version > 1 else None)
            node = self._add(type_.id, inputs, id, {"version": written, "mode": mode, "title": title})
            return _result(self, type_, node)

        return record

    def node(
        self, type_id: str, /, *, id: str | None = None, title: str | None = None, mode: Mode | None = None,
        version: int | None = None,
    ) -> Callable[..., Any]:  # fmt: skip
        """As calling the graph with a function, for a node type that is known by its id only.

        What the recorder returns is the node's value; its attributes are its outputs by name.
        """

        def record(**inputs: Any) -> NodeHandle:
            node = self._add(type_id, inputs, id, {"version": version, "mode": mode, "title": title})
            return NodeHandle(self, node)

        return record

    @overload
    def subgraph(self, function: Callable[Concatenate[Graph, P], R], /) -> Subgraph[P, R]: ...
    @overload
    def subgraph(
        self, /, *, name: str | None = None, output: str = "result", title: str | None = None,
        version: int | None = None,
    ) -> Callable[[Callable[Concatenate[Graph, P], R]], Subgraph[P, R]]: ...  # fmt: skip
    def subgraph(
        self, function: Callable[..., Any] | None = None, /, *, name: str | None = None,
        output: str = "result", title: str | None = None, version: int | None = None,
    ) -> Any:  # fmt: skip
        """Define a subgraph by a function: `@g.subgraph` or `@g.subgraph(output="state")`.

        The function takes a graph, in which it records the nodes inside, and the definition's inputs with
        their types and defaults; it returns what one node gives (the output is called `output`), or a
        NamedTuple of that. name is that of the definition (default: the function's).
        """
        options = {"version": version, "title": title}

        def define(function: Callable[..., Any]) -> Subgraph[Any, Any]:
            called = name or function.__name__
            self._claim_subgraph(called)
            type_ = read_function(function, output, called, version)
            inner = Graph()
            inner._subgraphs, inner._inside = self._subgraphs, called
            entry = record_subgraph(type_, inner, inner._nodes)
            self._claim_subgraph(called)
            self._subgraphs[called] = {key: one for key, one in options.items() if one is not None} | entry
            return Subgraph(self._subgraphs, type_)

        return define(function) if function is not None else define

    def raw_subgraph(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add a definition as it is written in a document; it is used by its name, `#name`."""
        self._claim_subgraph(name)
        self._subgraphs[name] = dict(entry)

    def raw(self, id: str, entry: Mapping[str, Any]) -> Any:
        """Add a node as it is written in a document. Returns its handle, as `node` does."""
        self._claim(id)
        self._nodes[id] = dict(entry)
        return NodeHandle(self, id)

    def link(self, reference: str) -> Any:
        """A link as it is written in a document (`"node.output"`), also to a node that is added later."""
        return Output(self, reference)

    def lazy(self, value: T) -> Lazy[T]:
        """The same value, typed for a `Lazy[T]` input, whose branch runs only when the node asks for it."""
        return cast("Lazy[T]", value)

    def input(self, name: str, value: T, *, help: str | None = None) -> T:
        """Declare a named input; give what is returned to the nodes that it feeds.

        value is what the workflow runs with where the caller says nothing.
        """
        self.feeds(name, help=help)
        return cast("T", NamedInput(self, name, value))

    def feeds(self, name: str, *places: str, help: str | None = None) -> None:
        """Declare a named input by the places it feeds (`"node.input"`), whose own values stay."""
        if self._inside:
            refuse("named input")
        if name in self._inputs:
            raise InputError(f"there are two named inputs '{name}'", code="duplicate_name")
        self._inputs[name] = {"to": list(places)} | ({} if help is None else {"help": help})

    def output(self, name: str, value: object) -> None:
        """Declare a named output: the output of a node."""
        if self._inside:
            refuse("named output")
        if name in self._outputs:
            raise InputError(f"there are two named outputs '{name}'", code="duplicate_name")
        link = link_of(self._written(value, f"output '{name}'"))
        if link is None:
            message = f"the output '{name}' is not the output of a node"
            raise InputError(message, code="wrong_type", remedy="Give what calling a node returned.")
        self._outputs[name] = {"from": link}

    def field(self, name: str, value: Any) -> None:
        """Set a whole field of the document: `view`, `requires`, `subgraphs` or one of your own."""
        if self._inside:
            refuse("field")
        self._fields[name] = value

    def document(self) -> Document:
        """The workflow so far. WorkflowError lists what no document may hold."""
        parts = {
            "nodes": self._nodes, "inputs": self._inputs, "outputs": self._outputs,
            "subgraphs": self._subgraphs,
        }  # fmt: skip
        written = {"nodegraph": FORMAT_VERSION, "nodes": {}} | {
            name: dict(part) for name, part in parts.items() if part
        }
        fields = dict(self._fields)
        if self._subgraphs and "subgraphs" in fields:
            fields["subgraphs"] = {**fields["subgraphs"], **self._subgraphs}
        return load_document(written | fields)

    def _add(
        self, type_id: str, inputs: Mapping[str, Any], id_: str | None, options: Mapping[str, Any]
    ) -> str:
        node = id_ or fresh_id(type_id, self._nodes)
        self._claim(node)
        entry: dict[str, Any] = {"type": type_id}
        written = {name: self._input(node, name, value) for name, value in inputs.items()}
        if written:
            entry["inputs"] = written
        self._nodes[node] = entry | {name: value for name, value in options.items() if value is not None}
        return node

    def _claim_subgraph(self, name: str) -> None:
        if name in self._subgraphs:
            raise InputError(f"there are two subgraphs '{name}'", code="duplicate_name")

    def _check_defined(self, subgraph: Subgraph[Any, Any]) -> None:
        if subgraph.definitions is not self._subgraphs:
            raise InputError(f"{subgraph!r} belongs to another graph", code="wrong_graph")

    def _claim(self, node: str) -> None:
        if node in self._nodes:
            raise InputError(f"there are two nodes '{node}'", code="duplicate_name")

    def _input(self, node: str, name: str, value: Any) -> Any:
        if isinstance(value, Several) or (type(value) in (list, tuple) and any(map(is_proxy, value))):
            return [self._fed(item, node, f"{name}[{at}]") for at, item in enumerate(value)]
        if isinstance(value, SeveralNamed) or (type(value) is dict and any(map(is_proxy, value.values()))):
            written = {key: self._fed(item, node, f"{name}.{key}") for key, item in value.items()}
            return {"value": written} if unescaped(written) is not written else written
        return self._fed(value, node, name)

    def _fed(self, value: Any, node: str, port: str) -> Any:
        """A value where named inputs may stand: they note that they feed it."""
        place = f"node '{node}', input '{port}'"
        if isinstance(value, NamedInput):
            self._check_own(value, place)
            self._inputs[value.name]["to"].append(f"{node}.{port}")
            value = value.value
        return self._written(value, place)

    def _written(self, value: Any, place: str) -> Any:
        if isinstance(value, Output):
            self._check_own(value, place)
            return value.written()
        if isinstance(value, Subgraph):
            self._check_defined(value)
            return value.type.id
        return literal(value, place)

    def _check_own(self, value: Output | NamedInput, place: str) -> None:
        if value.graph is not self:
            raise InputError(f"{place}: {value!r} belongs to another graph", code="wrong_graph")


def fresh_id(type_id: str, taken: Container[str]) -> str:
    """The id of the next node of a type: `sample`, `sample_2`, …"""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in type_id.lstrip("#"))
    name = name if name[:1].isalpha() else f"_{name}"
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([name], numbered) if candidate not in taken)


def _by_name(type_: NodeType, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of the inputs. TypeError as Python raises it for a wrong call."""
    parameters = [
        parameter
        for name, parameter in inspect.signature(type_.function).parameters.items()
        if name != type_.context_parameter
    ]
    try:
        given = dict(inspect.Signature(parameters).bind(*args, **kwargs).arguments)
    except TypeError as error:
        raise TypeError(f"{type_.function.__name__}(): {error}") from None
    for parameter in parameters:
        if parameter.name in given and parameter.kind is parameter.VAR_POSITIONAL:
            given[parameter.name] = Several(given[parameter.name])
        elif parameter.name in given and parameter.kind is parameter.VAR_KEYWORD:
            given[parameter.name] = SeveralNamed(given[parameter.name])
    return given


def _result(graph: Graph, type_: NodeType, node: str) -> Any:
    """What stands for a node's result: an output, the node's own NamedTuple of outputs, or None."""
    if not type_.outputs:
        return None
    returned = get_type_hints(type_.function)["return"]
    if not hasattr(returned, "_make"):
        return Output(graph, node)
    if type_.single_output is not None:
        return returned._make([Output(graph, node)])
    return returned._make([Output(graph, f"{node}.{name}") for name in type_.outputs])
