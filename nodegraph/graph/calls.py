"""How a node of a document is written as a call: of its function, by its type's id, or not at all."""

from __future__ import annotations

import inspect
import json
import keyword
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from nodegraph.declare import NodeType
from nodegraph.graph.document import link_of, literal_of
from nodegraph.graph.growing import unescaped
from nodegraph.graph.proxies import NodeHandle, literal

OPTIONS = ("title", "mode", "version")
_RESERVED = ("g", "Graph", "document")
_BUILTINS = ("bool", "int", "float", "str", "list")  # annotations of subgraphs read them


class Names:
    """The names of one piece of code: imported modules and variables, none twice."""

    def __init__(self, outer: Names | None = None) -> None:
        """`outer` are the names around a function, which has its own variables and shares modules."""
        self._outer = outer
        self._modules: dict[str, str] = outer._modules if outer is not None else {}
        self._taken: set[str] = set(outer._taken if outer is not None else _RESERVED)

    def module(self, module: str) -> str:
        """The name under which a module is imported."""
        if module not in self._modules:
            self._modules[module] = self.variable(module.rpartition(".")[2])
            if self._outer is not None:
                self._outer._taken.add(self._modules[module])
        return self._modules[module]

    def variable(self, wanted: str) -> str:
        """A free name like the wanted one."""
        name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in wanted)
        name = name if name.isidentifier() else f"_{name}"
        while name in self._taken or keyword.iskeyword(name):
            name += "_"
        self._taken.add(name)
        return name

    def reserve(self, parameters: Iterable[str]) -> None:
        """Keep the names of a function's parameters, and what its annotations read, for it."""
        self._taken.update(parameters, _BUILTINS)

    def imports(self) -> Iterator[str]:
        """The lines that import the modules."""
        yield "from nodegraph import Graph"
        for module, name in sorted(self._modules.items()):
            package, _, last = module.rpartition(".")
            alias = "" if name == last else f" as {name}"
            yield f"from {package} import {last}{alias}" if package else f"import {module}{alias}"


@dataclass(frozen=True, slots=True)
class Local:
    """A subgraph that has a variable: a function of these parameters, which returns one value or fields."""

    variable: str
    type: NodeType
    parameters: Sequence[inspect.Parameter]
    fields: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Call:
    """The form of a call. `ports` are its inputs in the order in which the builder notes them."""

    form: Literal["function", "id", "raw"]
    head: str = ""
    ports: Sequence[str] = ()
    outputs: Sequence[str] | None = None
    """Of a function: the attributes of its result; None where the result is the only output itself."""
    parameters: Sequence[inspect.Parameter] = ()
    lazy: Container[str] = ()
    bodies: Container[str] = ()

    def attribute(self, port: str | None) -> str | None:
        """What follows the node's variable to mean one of its outputs; None if only a link can say it."""
        if self.form != "function":
            usable = port is None or (is_name(port) and port[:2] != "__" and not hasattr(NodeHandle, port))
            return None if not usable else f".{port}" if port else ""
        if self.outputs is None:
            return None if port else ""
        if len(self.outputs) == 1:
            return None if port else f".{self.outputs[0]}"
        return f".{port}" if port in self.outputs else None


def call_of(
    entry: Mapping[str, Any], type_: NodeType | None, names: Names, local: Local | None = None
) -> Call:
    """The plainest form of a node's entry that keeps it whole. `local` is what its type `#name` means."""
    inputs: Mapping[str, Any] = entry.get("inputs", {})
    if not _can_be_called(entry):
        return Call("raw")
    if local is not None and _says_version(entry, local.type) and _fits(local.parameters, inputs):
        ports = [parameter.name for parameter in local.parameters if parameter.name in inputs]
        return Call("function", local.variable, ports, local.fields, local.parameters)
    home = _home(type_) if type_ is not None and _says_version(entry, type_) else None
    if type_ is not None and home is not None:
        parameters = _parameters(type_)
        if _fits(parameters, inputs):
            ports = [parameter.name for parameter in parameters if parameter.name in inputs]
            head = f"{names.module(home[0])}.{home[1]}"
            bodies = frozenset(type_.body_inputs)
            return Call("function", head, ports, _fields(type_), parameters, type_.lazy_inputs, bodies)
    if all(map(is_name, inputs)) and all(map(survives, inputs.values())):
        return Call("id", python_text(entry["type"]), tuple(inputs))
    return Call("raw")


def survives(value: Any) -> bool:
    """Whether the builder writes a value as it stands, given what it means."""
    if link_of(value) is not None:
        return True
    if holds_links(value):
        return all(survives(item) for item in (value.values() if isinstance(value, dict) else value))
    return same(literal(literal_of(value), ""), value)


def holds_links(value: Any) -> bool:
    """Whether links stand inside a list or an object: it is given to a growing input."""
    if isinstance(value, dict) and value.keys() != {"value"}:
        return any(link_of(item) is not None for item in value.values())
    return isinstance(value, list) and any(link_of(item) is not None for item in value)


def same(one: Any, other: Any) -> bool:
    """Whether two pieces of JSON data are the same: 1, 1.0 and true are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def python_text(value: Any) -> str:
    """JSON data as Python code."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(python_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{python_text(key)}: {python_text(item)}' for key, item in value.items())}}}"
    return repr(value)


def _says_version(entry: Mapping[str, Any], type_: NodeType) -> bool:
    """Whether an entry says the version of its type where the builder would: else it would gain one."""
    return type_.version == 1 or "version" in entry


def _can_be_called(entry: Mapping[str, Any]) -> bool:
    options = {name: entry[name] for name in OPTIONS if name in entry}
    known = entry.keys() <= {"type", "inputs", *OPTIONS}
    empty = "inputs" in entry and not entry["inputs"]
    return known and not empty and None not in options.values()


def is_name(text: str) -> bool:
    """Whether it can be a name in Python."""
    return text.isidentifier() and text.isascii() and not keyword.iskeyword(text)


def _home(type_: NodeType) -> tuple[str, str] | None:
    """The module and name under which a node's function can be imported.

    A pack may gather its nodes in a module `nodes`, under their ids with underscores; the built-in one does.
    """
    function = type_.function
    gathered = (f"{function.__module__.partition('.')[0]}.nodes", type_.id.replace(".", "_"))
    for module, name in (gathered, (function.__module__, function.__name__)):
        if module != "__main__" and getattr(sys.modules.get(module), name, None) is function:
            return module, name
    return None


def _parameters(type_: NodeType) -> list[inspect.Parameter]:
    signature = inspect.signature(type_.function)
    return [item for name, item in signature.parameters.items() if name != type_.context_parameter]


def _fits(parameters: Sequence[inspect.Parameter], inputs: Mapping[str, Any]) -> bool:
    """Whether the inputs can be the arguments of a function with these parameters."""
    names = {parameter.name for parameter in parameters}
    if not inputs.keys() <= names:
        return False
    positional = any(item.kind is item.VAR_POSITIONAL and item.name in inputs for item in parameters)
    for item in parameters:
        value = inputs.get(item.name)
        if item.kind is item.VAR_POSITIONAL:
            positional = False
            if item.name in inputs and not (isinstance(value, list) and value and all(map(survives, value))):
                return False
        elif item.kind is item.VAR_KEYWORD:
            if item.name in inputs and not (isinstance(value, dict) and _are_arguments(value, names)):
                return False
        elif item.name in inputs:
            if not survives(value):
                return False
        elif positional or item.default is item.empty:
            return False
    return True


def _are_arguments(values: Mapping[str, Any], taken: set[str]) -> bool:
    plain = all(is_name(name) and name not in taken for name in values)
    return bool(values) and plain and unescaped(values) is values and all(map(survives, values.values()))


def _fields(type_: NodeType) -> Sequence[str] | None:
    returned = get_type_hints(type_.function)["return"]
    return tuple(type_.outputs) if hasattr(returned, "_make") or not type_.outputs else None
