"""The nodes of a workflow or of a subgraph as lines of Python, each after what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from typing import Any

from nodegraph.graph import topology
from nodegraph.graph.builder import fresh_id
from nodegraph.graph.calls import OPTIONS, Call, Local, Names, call_of, holds_links, python_text
from nodegraph.graph.document import Step, link_of, literal_of, split_port, split_reference
from nodegraph.graph.members import port_of
from nodegraph.graph.templates import argument_of
from nodegraph.registry import Registry

_WIDTH = 100
_GROWING = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
Data = Mapping[str, Any]


class Scope:
    """Statements for one graph. A variable is only written where something uses it."""

    def __init__(
        self, graph: str, nodes: Data, names: Names, registry: Registry,
        subgraphs: Mapping[str, Local], arguments: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """`subgraphs` are the definitions that have a variable; `arguments` the inputs of the one inside."""
        self.graph = graph
        self.nodes = nodes
        self.names = names
        self.subgraphs = subgraphs
        self.arguments = arguments or {}
        self.calls: dict[str, Call] = {
            id_: call_of(entry, registry.nodes.get(entry["type"]), names, subgraphs.get(entry["type"]))
            for id_, entry in nodes.items()
        }
        self.order = self._order()
        self._position = {id_: index for index, id_ in enumerate(self.order)}
        self.variables: dict[str, str] = {}
        self.used: set[str] = {graph}
        self.fed: dict[tuple[str, str | None], str] = {}
        self._statements: list[tuple[str, str, Sequence[str]]] = []

    def say(self, variable: str, function: str, arguments: Sequence[str]) -> None:
        """Add a statement, or an empty line."""
        self._statements.append((variable, function, arguments))

    def lines(self) -> Iterator[str]:
        """The statements as text, without variables that nothing uses."""
        return map(self._line, self._statements)

    def say_nodes(self) -> None:
        """Add a statement for every node."""
        taken: set[str] = set()
        for id_ in self.order:
            entry, call = self.nodes[id_], self.calls[id_]
            variable = self.names.variable(id_)
            if call.form == "raw":
                self.say(variable, f"{self.graph}.raw", [python_text(id_), python_text(entry)])
            else:
                options = [] if id_ == fresh_id(entry["type"], taken) else [f"id={python_text(id_)}"]
                options += [f"{name}={python_text(entry[name])}" for name in OPTIONS if name in entry]
                recorder = self.graph if call.form == "function" else f"{self.graph}.node"
                function = f"{recorder}({', '.join([call.head, *options])})"
                self.say(variable, function, self._arguments(id_, call))
            self.variables[id_] = variable
            taken.add(id_)

    def noted(self, node: str, port: str | None) -> tuple[tuple[int, ...], Any] | None:
        """When the builder notes that a named input feeds a place, and what stands there; None if never.

        Of a growing input it notes the values, each by itself.
        """
        call = self.calls.get(node)
        name, steps = split_port(port or "")
        if call is None or name not in call.ports:
            return None
        grows = any(item.name == name and item.kind in _GROWING for item in call.parameters)
        value = self.nodes[node]["inputs"][name]
        place = self._position[node], call.ports.index(name)
        if not grows or len(steps) != 1:
            return None if grows or steps else (place, value)
        values = dict(enumerate(value)) if isinstance(value, list) else value
        found = list(values).index(steps[0]) if steps[0] in values else None
        return None if found is None else ((*place, found), values[steps[0]])

    def reference(self, reference: str) -> str:
        """A link in Python."""
        node, port = split_reference(reference)
        attribute = self.calls[node].attribute(port) if node in self.variables else None
        if attribute is None:
            return f"{self.graph}.link({python_text(reference)})"
        self.used.add(self.variables[node])
        return self.variables[node] + attribute

    def _line(self, statement: tuple[str, str, Sequence[str]]) -> str:
        variable, function, arguments = statement
        if not function:
            return ""
        head = f"{variable} = {function}" if variable in self.used else function
        line = f"{head}({', '.join(arguments)})"
        if len(line) <= _WIDTH:
            return line
        return "\n".join([f"{head}(", *(f"    {argument}," for argument in arguments), ")"])

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
            typed = f"{self.graph}.lazy({{}})".format if item.name in call.lazy else "{}".format
            if item.kind is Parameter.VAR_POSITIONAL:
                values = [self._member(id_, item.name, at, one) for at, one in enumerate(value)]
                arguments += map(typed, values)
                before_growing = False
            elif item.kind is Parameter.VAR_KEYWORD:
                values = [self._member(id_, item.name, key, one) for key, one in value.items()]
                arguments += [f"{key}={typed(text)}" for key, text in zip(value, values, strict=True)]
            else:
                text = self._body(call, item.name, value) or typed(self._value(id_, item.name, value))
                arguments.append(text if before_growing else f"{item.name}={text}")
        return arguments

    def _body(self, call: Call, port: str, value: Any) -> str | None:
        """The variable of a subgraph that is given as a body."""
        local = self.subgraphs.get(value) if port in call.bodies and isinstance(value, str) else None
        return local.variable if local is not None else None

    def _value(self, node: str, port: str, value: Any) -> str:
        if (node, port) in self.fed:
            return self.fed[node, port]
        if link_of(value) is None and holds_links(value):
            if isinstance(value, list):
                return f"[{', '.join(map(self._item, value))}]"
            return f"{{{', '.join(f'{python_text(key)}: {self._item(one)}' for key, one in value.items())}}}"
        return self._item(value)

    def _member(self, node: str, name: str, step: Step, value: Any) -> str:
        """A value of a growing input."""
        return self.fed.get((node, port_of(name, (step,)))) or self._item(value)

    def _item(self, value: Any) -> str:
        reference = link_of(value)
        if reference is not None:
            return self.reference(reference)
        argument = self.arguments.get(argument_of(value) or "")
        return argument if argument is not None else python_text(literal_of(value))


def _links(entry: Data) -> Iterator[str]:
    for value in entry.get("inputs", {}).values():
        items = [
            value,
            *(value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()),
        ]
        yield from filter(None, map(link_of, items))
