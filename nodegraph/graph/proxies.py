"""What stands for a value while a graph is built: outputs of nodes, and named inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import BaseModel

from nodegraph.errors import InputError

if TYPE_CHECKING:
    from nodegraph.graph.builder import Graph


class Output:
    """An output of a node in a graph that is being built. It has no value until the workflow runs."""

    __slots__ = ("graph", "reference")

    def __init__(self, graph: Graph, reference: str) -> None:
        self.graph = graph
        self.reference = reference

    def __repr__(self) -> str:
        return f"<output {self.reference}>"

    def written(self) -> dict[str, str]:
        """How a document reads it."""
        return {"from": self.reference}

    def __bool__(self) -> NoReturn:
        raise TypeError(_no_value(self.reference))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(_no_value(self.reference))


class Argument(Output):
    """An input of a subgraph that is being built."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<input {self.reference}>"

    def written(self) -> dict[str, str]:
        return {"input": self.reference}


class NodeHandle(Output):
    """A node that is known by its id only: itself as a value, or one of its outputs by attribute."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by Python itself: copying, pickling, inspecting
            raise AttributeError(name)
        return Output(self.graph, f"{self.reference}.{name}")


@dataclass(frozen=True, slots=True, eq=False)
class NamedInput:
    """A named input of the workflow, given to the nodes that it feeds."""

    graph: Graph
    name: str
    value: Any

    def __bool__(self) -> NoReturn:
        raise TypeError(f"the named input '{self.name}' has no value before the workflow runs")


def is_proxy(value: object) -> bool:
    """Whether something stands for a value that is not there yet."""
    return isinstance(value, Output | NamedInput)


def literal(value: Any, place: str) -> Any:
    """A literal as it is written in a document. InputError where a link or an object hides inside it."""
    data = plain(value, place)
    if isinstance(data, dict) and data.keys() in ({"from"}, {"value"}):
        return {"value": data}  # it would be read as a link, or as an escape
    return data


def plain(value: Any, place: str) -> Any:
    """A value as JSON data. InputError where a link hides inside it, or for what is no data."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): plain(item, place) for name, item in value.items()}
    if isinstance(value, Output | NamedInput):
        raise InputError(
            f"{place}: {_words(value)} stands inside another value", code="wrong_type",
            remedy="Links stand alone, or in a growing input: *values or **values.",
        )  # fmt: skip
    if hasattr(value, "_fields"):
        raise InputError(
            f"{place}: a whole {type(value).__name__} is given", code="wrong_type",
            remedy="Choose one output: " + ", ".join(f".{name}" for name in value._fields) + ".",
        )  # fmt: skip
    if isinstance(value, list | tuple):
        return [plain(item, place) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(
        f"{place}: a {type(value).__name__} cannot be written into a workflow", code="wrong_type",
        expected="an output of a node, a named input, or JSON data",
    )  # fmt: skip


def _words(value: Output | NamedInput) -> str:
    return f"the output '{value.reference}'" if isinstance(value, Output) else f"the input '{value.name}'"


def _no_value(reference: str) -> str:
    return f"the output '{reference}' has no value before the workflow runs: give it to another node"
