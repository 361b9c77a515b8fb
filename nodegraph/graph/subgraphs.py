"""Subgraphs: typed definitions in a document, used as node types with the name `#name`.

A definition has explicit input types (and defaults) and named outputs. Inside it `{"input": "name"}` reads
one of its inputs. What a definition looks like from outside is an ordinary `NodeType`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn

from nodegraph import sockets
from nodegraph.declare import InputSpec, NodeType, OutputSpec
from nodegraph.graph.document import Document, NodeEntry, SubgraphEntry
from nodegraph.marks import Choice, File, Seed
from nodegraph.registry import Registry

SEED = "seed"
"""Written as the type of a subgraph's input, it is a whole number that may be "random"."""

_SCALARS: Mapping[str, type] = {"bool": bool, "int": int, "float": float, "text": str}


def type_of(entry: NodeEntry, document: Document, registry: Registry) -> NodeType | None:
    """The type of a node: a registered one, or a subgraph's outside; None if there is no such type."""
    if not entry.type.startswith("#"):
        return registry.nodes.get(entry.type)
    definition = document.subgraphs.get(entry.type[1:])
    if definition is None:
        return None
    try:
        return outside(entry.type, definition, registry)
    except ValueError:  # a type that nobody knows is reported where the document is checked
        return None


def outside(name: str, definition: SubgraphEntry, registry: Registry) -> NodeType:
    """What a definition looks like from outside. ValueError names a socket type that nobody knows."""
    classes = registry.codecs.classes()
    inputs = {}
    for input_, entry in definition.inputs.items():
        seed = entry.type == SEED
        type_ = sockets.Scalar("int") if seed else parse_type(entry.type, classes)
        inputs[input_] = InputSpec(
            input_, type_, Seed if seed else annotation_of(type_), default=entry.default, is_seed=seed,
            required="default" not in entry.model_fields_set,
        )  # fmt: skip
    outputs = {
        output: OutputSpec(output, parse_type(entry.type, classes))
        for output, entry in definition.outputs.items()
    }
    return NodeType(name, _never, inputs, outputs, version=definition.version, title=definition.title or name)


def parse_type(written: str | Mapping[str, Any], classes: Mapping[str, type]) -> sockets.SocketType:
    """A socket type as documents write it: `"image"`, or `{"type": "list", "item": {"type": "image"}}`."""
    data = {"type": written} if isinstance(written, str) else written
    try:
        type_ = sockets.from_json(data, classes)
        hash(type_)
    except (TypeError, AttributeError):  # a list where a name belongs, and the like
        raise ValueError(f"no socket type is written as {data!r}") from None
    return type_


def annotation_of(type_: sockets.SocketType) -> Any:
    """The annotation from which a socket type of this kind is declared."""
    match type_:
        case sockets.Scalar(name):
            return _SCALARS[name]
        case sockets.Menu(options):
            return Literal[options]
        case sockets.ChoiceType(registry):
            return Annotated[str, Choice(registry)]
        case sockets.FileType(kind):
            return Annotated[str, File(kind)]
        case sockets.ListType(item):
            return list[annotation_of(item)]  # type: ignore[misc] # made at run time
        case sockets.OptionalType(item):
            return annotation_of(item) | None
        case sockets.ValueType(cls):
            return cls
    return object


def _never() -> NoReturn:
    raise TypeError("a subgraph is expanded, never called")
