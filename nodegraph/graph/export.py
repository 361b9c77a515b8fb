"""A workflow as Python: code for the builder that gives the same document when it is executed.

Each node is written as plainly as keeps its entry whole: as a call of its function where that can be
imported, else by its type's id, else as it stands in the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nodegraph.graph import topology
from nodegraph.graph.calls import Local, Names, holds_links, python_text, same, survives
from nodegraph.graph.document import Document, link_of, literal_of, split_reference
from nodegraph.graph.export_definitions import function_of, uses
from nodegraph.graph.export_scope import Scope
from nodegraph.registry import Registry

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
        self.registry = registry
        self.definitions: list[str] = []
        self.subgraphs = self._define(self.data.get("subgraphs", {}))
        self.scope = Scope("g", self.nodes, self.names, registry, self.subgraphs)

    def write(self) -> str:
        scope, name = self.scope, self.data.get("name")
        if name == "":
            self._field("name", name)
        self._inputs(self.data.get("inputs"))
        scope.say("", "", [])
        scope.say_nodes()
        scope.say("", "", [])
        self._outputs(self.data.get("outputs"))
        for key, value in self.data.items():
            if key not in ("nodegraph", "name", "nodes", "inputs", "outputs") and (
                key != "subgraphs" or not value
            ):
                self._field(key, value)
        first = f"g = Graph({python_text(name) if name else ''})"
        start = [first, *self.definitions] + (
            ["", ""] if self.definitions and self.data.get("inputs") else []
        )
        end = "document = g.document()"
        return "\n".join([*self.names.imports(), "", *start, *scope.lines(), end, ""])

    def _define(self, definitions: Data) -> dict[str, Local]:
        """Write every definition, each after those that it uses; what those with a variable are called."""
        for definition in definitions.values():
            self.names.reserve(definition.get("inputs", {}))
        known: dict[str, Local] = {}
        for name in _in_order(definitions):
            function = function_of(name, definitions[name], self.names, self.registry, known)
            if function is None:
                entry = python_text(definitions[name])
                self.definitions += ["", f"g.raw_subgraph({python_text(name)}, {entry})"]
            else:
                known[f"#{name}"] = function.local
                self.definitions += ["", "", *function.lines]
        return known

    def _field(self, name: str, value: Any) -> None:
        self.scope.say("", "g.field", [python_text(name), python_text(value)])

    def _inputs(self, entries: Data | None) -> None:
        if entries is None:
            return
        if not entries or not all(_is_plain(entry, {"to", "help"}) for entry in entries.values()):
            self._field("inputs", entries)
            return
        for name, entry in entries.items():
            places = [split_reference(reference) for reference in entry["to"]]
            options = [f"help={python_text(entry['help'])}"] if "help" in entry else []
            value = self._shared_value(places)
            if value is _NOTHING:
                self.scope.say("", "g.feeds", [*map(python_text, [name, *entry["to"]]), *options])
                continue
            variable = self.names.variable(name)
            self.scope.used.add(variable)
            self.scope.fed.update(dict.fromkeys(places, variable))
            self.scope.say(variable, "g.input", [python_text(name), python_text(value), *options])

    def _shared_value(self, places: Sequence[tuple[str, str | None]]) -> Any:
        """The literal that stands at all places, where the builder would note them in this order.

        _NOTHING where there is none: then the places must be listed.
        """
        noted: list[tuple[int, ...]] = []
        values: list[Any] = []
        for node, port in places:
            found = self.scope.noted(node, port)
            if found is None or (node, port) in self.scope.fed:
                return _NOTHING
            noted.append(found[0])
            values.append(found[1])
        if not values or noted != sorted(set(noted)) or not all(same(value, values[0]) for value in values):
            return _NOTHING
        if link_of(values[0]) is not None or holds_links(values[0]) or not survives(values[0]):
            return _NOTHING
        return literal_of(values[0])

    def _outputs(self, entries: Data | None) -> None:
        if entries is None:
            return
        if not entries or not all(_is_plain(entry, {"from"}) for entry in entries.values()):
            self._field("outputs", entries)
            return
        for name, entry in entries.items():
            self.scope.say("", "g.output", [python_text(name), self.scope.reference(entry["from"])])


def _in_order(definitions: Data) -> list[str]:
    """Each definition after those that it uses; as written where they go round in a circle."""
    used = {name: {other for other in uses(one) if other in definitions} for name, one in definitions.items()}
    try:
        return topology.order(used)
    except topology.CycleError:
        return list(definitions)


def _is_plain(entry: Data, fields: set[str]) -> bool:
    """Whether the builder has words for everything in an entry."""
    return entry.keys() <= fields and None not in entry.values()
