"""A workflow as Python: code for the builder that gives the same document when it is executed.

Each node is written as plainly as keeps its entry whole: as a call of its function where that can be
imported, else by its type's id, else as it stands in the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from typing import Any

from nodegraph.graph import topology
from nodegraph.graph.builder import fresh_id
from nodegraph.graph.calls import OPTIONS, Call, Names, call_of, holds_links, python_text, same, survives
from nodegraph.graph.document import Document, link_of, literal_of, split_reference
from nodegraph.registry import Registry

_WIDTH = 100
_NOTHING = object()
Data = Mapping[str, Any]


def to_python(document: Document, registry: Registry) -> str:
    """Python code whose `document` is this one. It imports the functions of the nodes where it can."""
    return _Writer(document, registry).write()


class _Writer:
    def __init__(self, document: Document, registry: Registry) -> None:
        self.data: Data = document.to_json()
        self.nodes: Data = self.data["nodes"]
        self.names = Names()
        self.calls: dict[str, Call] = {
            id_: call_of(entry, registry.nodes.get(entry["type"]), self.names)
            for id_, entry in self.nodes.items()
        }
        self.statements: list[tuple[str, str, Sequence[str]]] = []
        self.variables: dict[str, str] = {}
        self.used: set[str] = set()
        self.fed: dict[tuple[str, str | None], str] = {}

    def write(self) -> str:
        name = self.data.get("name")
        self._say("g", "Graph", [python_text(name)] if name else [])
        self.used.add("g")
        if name == "":
            self._field("name", name)
        order = self._order()
        self._inputs(self.data.get("inputs"), order)
        self._say("", "", [])
        self._nodes(order)
        self._say("", "", [])
        self._outputs(self.data.get("outputs"))
        for key, value in self.data.items():
            if key not in ("nodegraph", "name", "nodes", "inputs", "outputs"):
                self._field(key, value)
        self._say("document", "g.document", [])
        self.used.add("document")
        return "\n".join([*self.names.imports(), "", *map(self._line, self.statements), ""])

    def _say(self, variable: str, function: str, arguments: Sequence[str]) -> None:
        self.statements.append((variable, function, arguments))

    def _line(self, statement: tuple[str, str, Sequence[str]]) -> str:
        variable, function, arguments = statement
        if not function:
            return ""
        head = f"{variable} = {function}" if variable in self.used else function
        line = f"{head}({', '.join(arguments)})"
        if len(line) <= _WIDTH:
            return line
        return "\n".join([f"{head}(", *(f"    {argument}," for argument in arguments), ")"])

    def _field(self, name: str, value: Any) -> None:
        self._say("", "g.field", [python_text(name), python_text(value)])

    def _order(self) -> list[str]:
        """Each node after what it reads; as written where the graph goes round in a circle."""
        sources = {
            id_: {source for source, _ in map(split_reference, _links(entry)) if source in self.nodes}
            for id_, entry in self.nodes.items()
        }
        try:
            return topology.order(sources)
        except topology.CycleError:
            return list(self.nodes)

    def _inputs(self, entries: Data | None, order: Sequence[str]) -> None:
        if entries is None:
            return
        if not entries or not all(_is_plain(entry, {"to", "help"}) for entry in entries.values()):
            self._field("inputs", entries)
            return
        position = {id_: index for index, id_ in enumerate(order)}
        for name, entry in entries.items():
            places = [split_reference(reference) for reference in entry["to"]]
            options = [f"help={python_text(entry['help'])}"] if "help" in entry else []
            value = self._shared_value(places, position)
            if value is _NOTHING:
                self._say("", "g.feeds", [*map(python_text, [name, *entry["to"]]), *options])
                continue
            variable = self.names.variable(name)
            self.used.add(variable)
            self.fed.update(dict.fromkeys(places, variable))
            self._say(variable, "g.input", [python_text(name), python_text(value), *options])

    def _shared_value(self, places: Sequence[tuple[str, str | None]], position: Mapping[str, int]) -> Any:
        """The literal that stands at all places, where the builder would note them in this order.

        _NOTHING where there is none: then the places must be listed.
        """
        noted: list[tuple[int, int]] = []
        values: list[Any] = []
        for node, port in places:
            ports = self.calls[node].ports if node in self.calls else ()
            if port not in ports or (node, port) in self.fed:
                return _NOTHING
            noted.append((position[node], ports.index(port)))
            values.append(self.nodes[node]["inputs"][port])
        if not values or noted != sorted(set(noted)) or not all(same(value, values[0]) for value in values):
            return _NOTHING
        if link_of(values[0]) is not None or holds_links(values[0]) or not survives(values[0]):
            return _NOTHING
        return literal_of(values[0])

    def _nodes(self, order: Sequence[str]) -> None:
        taken: set[str] = set()
        for id_ in order:
            entry, call = self.nodes[id_], self.calls[id_]
            variable = self.names.variable(id_)
            if call.form == "raw":
                self._say(variable, "g.raw", [python_text(id_), python_text(entry)])
            else:
                options = [] if id_ == fresh_id(entry["type"], taken) else [f"id={python_text(id_)}"]
                options += [f"{name}={python_text(entry[name])}" for name in OPTIONS if name in entry]
                recorder = "g" if call.form == "function" else "g.node"
                self._say(
                    variable, f"{recorder}({', '.join([call.head, *options])})", self._arguments(id_, call)
                )
            self.variables[id_] = variable
            taken.add(id_)

    def _outputs(self, entries: Data | None) -> None:
        if entries is None:
            return
        if not entries or not all(_is_plain(entry, {"from"}) for entry in entries.values()):
            self._field("outputs", entries)
            return
        for name, entry in entries.items():
            self._say("", "g.output", [python_text(name), self._reference(entry["from"])])

    def _arguments(self, id_: str, call: Call) -> list[str]:
        inputs: Data = self.nodes[id_].get("inputs", {})
        if call.form == "id":
            return [f"{name}={self._value(id_, name, value)}" for name, value in inputs.items()]
        positional = [item.name for item in call.parameters if item.kind is Parameter.VAR_POSITIONAL]
        before_growing = any(name in inputs for name in positional)
        arguments: list[str] = []
        for item in call.parameters:
            if item.name not in inputs:
                continue
            value = inputs[item.name]
            typed = "g.lazy({})".format if item.name in call.lazy else "{}".format
            if item.kind is Parameter.VAR_POSITIONAL:
                arguments += [typed(self._item(one)) for one in value]
                before_growing = False
            elif item.kind is Parameter.VAR_KEYWORD:
                arguments += [f"{name}={typed(self._item(one))}" for name, one in value.items()]
            else:
                text = typed(self._value(id_, item.name, value))
                arguments.append(text if before_growing else f"{item.name}={text}")
        return arguments

    def _value(self, node: str, port: str, value: Any) -> str:
        if (node, port) in self.fed:
            return self.fed[node, port]
        if link_of(value) is None and holds_links(value):
            if isinstance(value, list):
                return f"[{', '.join(map(self._item, value))}]"
            return f"{{{', '.join(f'{python_text(key)}: {self._item(one)}' for key, one in value.items())}}}"
        return self._item(value)

    def _item(self, value: Any) -> str:
        reference = link_of(value)
        return python_text(literal_of(value)) if reference is None else self._reference(reference)

    def _reference(self, reference: str) -> str:
        node, port = split_reference(reference)
        attribute = self.calls[node].attribute(port) if node in self.variables else None
        if attribute is None:
            return f"g.link({python_text(reference)})"
        self.used.add(self.variables[node])
        return self.variables[node] + attribute


def _is_plain(entry: Data, fields: set[str]) -> bool:
    """Whether the builder has words for everything in an entry."""
    return entry.keys() <= fields and None not in entry.values()


def _links(entry: Data) -> Iterator[str]:
    for value in entry.get("inputs", {}).values():
        items = [
            value,
            *(value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()),
        ]
        yield from filter(None, map(link_of, items))
