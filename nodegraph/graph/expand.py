"""Expansion: subgraphs inlined, bypassed nodes bridged, muted nodes taken out.

The node `blur` inside the subgraph node `sub` becomes the node `sub/blur`: a subgraph means exactly its
inline expansion, so keys and results are the same. A muted node does not run, and neither does what needs
its outputs; optional inputs fall back to their defaults. A bypassed node hands on, for each output, its
first linked input of a fitting type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegraph.declare import InputSpec, NodeType
from nodegraph.errors import Problem
from nodegraph.graph import literals
from nodegraph.graph.bodies import GIVEN
from nodegraph.graph.document import (
    DamagedEntry,
    Document,
    NodeEntry,
    SubgraphEntry,
    link_of,
    literal_of,
    split_reference,
)
from nodegraph.graph.flatnodes import Entry, FlatNode
from nodegraph.graph.literals import FileNames
from nodegraph.graph.subgraphs import outside, type_of
from nodegraph.graph.templates import PLAIN, Template, argument_of, templates_of
from nodegraph.registry import Registry, suggest
from nodegraph.sockets import SocketType, assignable

MAX_DEPTH = 100
MAX_NODES = 200_000  # subgraphs of subgraphs double with every level
Endpoint = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Declared:
    """A link into a subgraph: what is linked must fit the type that the subgraph declares."""

    node: str
    input: str
    reference: str
    type: SocketType


@dataclass
class Flat:
    """A document without subgraphs and modes: nodes by path, with links between paths."""

    nodes: dict[str, Entry]
    outputs: dict[str, str]
    muted: set[str] = field(default_factory=set)
    declared: list[Declared] = field(default_factory=list)
    inside: dict[str, list[str]] = field(default_factory=dict)
    """The nodes behind the outputs of every subgraph node."""
    problems: list[Problem] = field(default_factory=list)


def expand(document: Document, registry: Registry, files: FileNames) -> Flat:
    """The flat form of a document. Linear in the size of the expansion."""
    outputs = {name: entry.source for name, entry in document.outputs.items()}
    # Asked of the few kinds and modes rather than of every node: most documents have neither.
    kinds = {entry.type for entry in document.nodes.values()}
    modes = {entry.mode for entry in document.nodes.values()}
    if modes <= {None} and not any(kind.startswith("#") for kind in kinds):
        return Flat(dict(document.nodes), outputs)
    top = _Scope("", document.nodes, {}, ())
    return _Expander(document, registry, files).run(top, outputs)


def expand_body(document: Document, name: str, registry: Registry, files: FileNames) -> Flat:
    """The flat form of one definition, whose inputs are read from the given nodes `@input`."""
    definition = document.subgraphs[name]
    outputs = {output: entry.source for output, entry in definition.outputs.items()}
    given = {input_: {"from": GIVEN + input_} for input_ in definition.inputs}
    return _Expander(document, registry, files).run(_Scope("", definition.nodes, given, (name,)), outputs)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The document's top level, or the inside of one subgraph node."""

    prefix: str
    nodes: Mapping[str, NodeEntry]
    arguments: Mapping[str, Any]
    chain: tuple[str, ...]


class _Expander:
    def __init__(self, document: Document, registry: Registry, files: FileNames) -> None:
        self.document = document
        self.registry = registry
        self.files = files
        self.flat = Flat({}, {})
        self.types: dict[str, NodeType] = {}
        self.definitions: dict[str, NodeType | None] = {}
        self.bridges: dict[str, Entry] = {}
        self.aliases: dict[Endpoint, str] = {}
        self.templates: dict[tuple[str, ...], list[Template]] = {}
        self.open: list[tuple[dict[str, Any], str]] = []
        self.scopes: deque[_Scope] = deque()
        self._placed = 0
        self._cut = False  # whether a link led to nothing

    def run(self, top: _Scope, outputs: Mapping[str, str]) -> Flat:
        self.scopes.append(top)
        while self.scopes:
            scope = self.scopes.popleft()
            self._placed += len(scope.nodes)
            if self._placed > MAX_NODES:
                message = f"the subgraphs expand to more than {MAX_NODES} nodes"
                self.flat.problems.append(Problem("too_large", message))
                break
            for template in self._templates_of(scope):
                if template.simple:
                    self._place_simple(scope, template)
                else:
                    self._place(scope, template)
        self._resolve_links()
        self._spread_mutes()
        for name, reference in outputs.items():
            target = self._follow(reference)
            if target is None or split_reference(target)[0] not in self.flat.muted:
                self.flat.outputs[name] = target if target is not None else reference
        return self.flat

    def _templates_of(self, scope: _Scope) -> list[Template]:
        """The nodes of a scope as its definition gives them, looked at once for all its uses."""
        name = scope.chain[-1:]  # nothing at the top level
        if name not in self.templates:
            self.templates[name] = templates_of(scope.nodes, inside=bool(scope.chain))
        return self.templates[name]

    def _place_simple(self, scope: _Scope, template: Template) -> None:
        """Place a node that is its own expansion: by far the most are."""
        path = scope.prefix + template.id
        self._add(path, template.entry, self._inputs(scope, path, template), template.open)

    def _inputs(self, scope: _Scope, path: str, template: Template) -> dict[str, Any]:
        """A node's inputs, with links as paths and without what stands for nothing."""
        prefix, arguments = scope.prefix, scope.arguments
        inputs = dict(template.entry.inputs)
        for name, reference in template.near:
            inputs[name] = {"from": prefix + reference}
        for name, argument in template.given:
            value = arguments.get(argument, _ABSENT)
            if value is not _ABSENT:
                inputs[name] = value
                continue
            del inputs[name]
            if argument not in arguments:
                self._unknown_argument(scope, path, name, argument)
        for name, value in template.rest:
            inputs[name] = self._absolute(scope, path, name, value)
        return inputs

    def _add(self, path: str, entry: NodeEntry, inputs: dict[str, Any], open_: Iterable[str]) -> None:
        """Put a node into the flat form; its open inputs may hold links that lead through other nodes."""
        if isinstance(entry, DamagedEntry):
            self.flat.nodes[path] = entry
            return
        self.flat.nodes[path] = FlatNode(entry.type, inputs, entry.version, entry.title)
        for name in open_:
            if type(inputs.get(name)) not in PLAIN:
                self.open.append((inputs, name))

    def _place(self, scope: _Scope, template: Template) -> None:
        """Place a subgraph node, which is entered, or one that is muted or bypassed."""
        entry = template.entry
        path = scope.prefix + template.id
        inputs = self._inputs(scope, path, template)
        type_ = self._type(path, entry)
        if entry.mode == "mute":
            self.flat.muted.add(path)
        elif type_ is None or not (entry.mode == "bypass" or entry.type.startswith("#")):
            self._add(path, entry, inputs, list(inputs))
        else:
            placed = FlatNode(entry.type, inputs, entry.version, entry.title)
            if entry.mode == "bypass":
                self.bridges[path] = placed
            else:
                self._enter(scope, path, placed, type_)

    def _type(self, path: str, entry: NodeEntry) -> NodeType | None:
        """The node's type; what is wrong with a subgraph's is noted, what with a node's is found later."""
        if entry.type.startswith("#"):
            self._check_definition(path, entry)
            if entry.type not in self.definitions:
                self.definitions[entry.type] = type_of(entry, self.document, self.registry)
            type_ = self.definitions[entry.type]
        else:
            type_ = self.registry.nodes.get(entry.type)
        if type_ is not None:
            self.types[path] = type_
        return type_

    def _type_at(self, path: str) -> NodeType | None:
        """The type of a node that has its place: noted for those that are not placed as they stand."""
        if path in self.types or path not in self.flat.nodes:
            return self.types.get(path)
        return self.registry.nodes.get(self.flat.nodes[path].type)

    def _check_definition(self, path: str, entry: NodeEntry) -> None:
        name = entry.type[1:]
        definition = self.document.subgraphs.get(name)
        if definition is None:
            remedy = suggest(name, self.document.subgraphs) or "Add its definition to 'subgraphs'."
            message = f"the document defines no subgraph '{name}'"
            self._problem("unknown_subgraph", message, path, entry, remedy=remedy)
            return
        if self.definitions.get(entry.type) is not None:
            return
        try:
            outside(entry.type, definition, self.registry)
        except ValueError as error:
            self._problem("unknown_type", f"the subgraph '{name}': {error}", path, entry)

    def _enter(self, scope: _Scope, path: str, entry: Entry, type_: NodeType) -> None:
        name = entry.type[1:]
        if name in scope.chain or len(scope.chain) >= MAX_DEPTH:
            way = " -> ".join([*scope.chain, name])
            self._problem("recursive_subgraph", f"the subgraph contains itself: {way}", path, entry)
            return
        definition = self.document.subgraphs[name]
        self._check_version(path, entry, definition)
        arguments = self._arguments(path, entry, type_)
        prefix = path + "/"
        for output, out in definition.outputs.items():
            self.aliases[path, output] = prefix + out.source
        self.flat.inside[path] = [prefix + out.source for out in definition.outputs.values()]
        self.scopes.append(_Scope(prefix, definition.nodes, arguments, (*scope.chain, name)))

    def _check_version(self, path: str, entry: Entry, definition: SubgraphEntry) -> None:
        if entry.version is not None and entry.version != definition.version:
            self._problem(
                "node_version", f"'{entry.type}' was saved with another version", path, entry,
                expected=f"version {definition.version}", found=f"version {entry.version}",
            )  # fmt: skip

    def _arguments(self, path: str, entry: Entry, type_: NodeType) -> dict[str, Any]:
        """What each input of a subgraph node stands for: a link, a literal, or its default."""
        for name in entry.inputs:
            if name not in type_.inputs:
                message = f"the subgraph '{type_.id}' has no such input"
                self._problem("unknown_input", message, path, entry, name, suggest(name, type_.inputs))
        arguments: dict[str, Any] = {}
        for name, spec in type_.inputs.items():
            if name in entry.inputs:
                arguments[name] = self._argument(path, entry, spec)
            elif not spec.required:
                arguments[name] = {"value": spec.default} if isinstance(spec.default, dict) else spec.default
            else:
                self._problem(
                    "missing_input", "the input is required", path, entry, name, expected=spec.type.words
                )
        return arguments

    def _argument(self, path: str, entry: Entry, spec: InputSpec) -> Any:
        """A link as it is, to be judged when types are known; a literal as the declared type wants it."""
        given = entry.inputs[spec.name]
        if type(given) is spec.plain:  # the short way of most literals
            return given
        reference = link_of(given)
        if reference is not None:
            self.flat.declared.append(Declared(path, spec.name, reference, spec.type))
            return given
        try:
            value = literals.coerce(spec, literal_of(given), self.registry, self.files)
        except literals.LiteralError as error:
            self._problem(
                error.code, error.message, path, entry, spec.name, error.remedy,
                expected=error.expected, found=error.found,
            )  # fmt: skip
            return _ABSENT
        return {"value": value} if isinstance(value, dict) else value

    def _absolute(self, scope: _Scope, path: str, name: str, value: Any) -> Any:
        """A link as a path, or a list or object with its links and arguments replaced, one level deep."""
        reference = link_of(value)
        if reference is not None:
            return {"from": scope.prefix + reference}
        return _map_items(value, lambda item: self._absolute_item(scope, path, name, item))

    def _absolute_item(self, scope: _Scope, path: str, name: str, item: Any) -> Any:
        reference = link_of(item)
        if reference is not None:
            return {"from": scope.prefix + reference}
        argument = argument_of(item) if scope.chain else None
        if argument is None:
            return item
        if argument not in scope.arguments:
            self._unknown_argument(scope, path, name, argument)
            return _ABSENT
        return scope.arguments[argument]

    def _unknown_argument(self, scope: _Scope, path: str, name: str, argument: str) -> None:
        definition = self.document.subgraphs[scope.chain[-1]]
        if argument in definition.inputs:
            return  # it is missing outside, and was reported there
        message = f"the subgraph '{scope.chain[-1]}' has no input '{argument}'"
        entry = self.flat.nodes.get(path)
        self._problem("unknown_input", message, path, entry, name, suggest(argument, definition.inputs))

    def _resolve_links(self) -> None:
        for inputs, name in self.open:
            inputs[name] = _map_links(inputs[name], self._follow)

    def _follow(self, reference: str) -> str | None:
        """The reference behind subgraph outputs and bypassed nodes; None if a muted node stands behind it."""
        if reference.partition(".")[0] in self.flat.nodes:
            return reference
        target = self._behind(reference)
        self._cut = self._cut or target is None
        return target

    def _behind(self, reference: str) -> str | None:
        seen: set[str] = set()
        while reference not in seen:
            seen.add(reference)
            path, port = split_reference(reference)
            if path in self.flat.muted:
                return None
            port = port or self._only_output(path)
            if path in self.bridges:
                bridged = self._bridge(path, port)
                if bridged is None:
                    return None
                reference = bridged
            elif (path, port) in self.aliases:
                reference = self.aliases[path, port]
            else:
                return reference
        return reference  # a bypassed circle: the binder finds no such node and says so

    def _only_output(self, path: str) -> str | None:
        type_ = self._type_at(path)
        single = type_.single_output if type_ is not None else None
        return single.name if single else None

    def _bridge(self, path: str, port: str | None) -> str | None:
        """What a bypassed node hands on as an output: its first linked input of a fitting type."""
        type_ = self.types[path]
        if port is None or port not in type_.outputs:
            return None
        wanted = type_.outputs[port].type
        for name, spec in type_.inputs.items():
            reference = next(links_in(self.bridges[path].inputs.get(name)), None)
            if reference is not None and assignable(spec.type, wanted).ok:
                return reference
        return None

    def _spread_mutes(self) -> None:
        """Take out what needs a muted node; an optional input falls back to its default."""
        flat = self.flat
        if not flat.muted and not self._cut:
            return
        readers: dict[str, set[str]] = {}
        for path, entry in flat.nodes.items():
            for value in entry.inputs.values():
                for reference in links_in(value):
                    readers.setdefault(split_reference(reference)[0], set()).add(path)
        stack = [path for path, entry in flat.nodes.items() if self._lost(path, entry)]
        while stack:
            path = stack.pop()
            if path in flat.muted:
                continue
            flat.muted.add(path)
            for reader in readers.get(path, ()):
                inputs = {n: _without(value, path) for n, value in flat.nodes[reader].inputs.items()}
                flat.nodes[reader] = _with_inputs(flat.nodes[reader], inputs)
                if self._lost(reader, flat.nodes[reader]):
                    stack.append(reader)
        self._drop_muted()

    def _drop_muted(self) -> None:
        flat = self.flat
        for path, entry in list(flat.nodes.items()):
            if path in flat.muted:
                del flat.nodes[path]
            else:
                kept = {name: value for name, value in entry.inputs.items() if value is not _MUTED}
                flat.nodes[path] = _with_inputs(entry, kept)

    def _lost(self, path: str, entry: Entry) -> bool:
        """Whether a node lacks a required input because of a muted node."""
        type_ = self._type_at(path)
        return any(
            value is _MUTED and (type_ is None or name not in type_.inputs or type_.inputs[name].required)
            for name, value in entry.inputs.items()
        )

    def _problem(
        self, code: str, message: str, path: str, entry: Entry | None, name: str | None = None,
        remedy: str = "", *, expected: str | None = None, found: str | None = None,
    ) -> None:  # fmt: skip
        title = entry.title if entry is not None else None
        self.flat.problems.append(Problem(code, message, path, title, name, expected, found, remedy or None))


class _Mark:
    """A place where a value was."""


_ABSENT = _Mark()
_MUTED = _Mark()


def _with_inputs(entry: Entry, inputs: dict[str, Any]) -> Entry:
    return FlatNode(entry.type, inputs, entry.version, entry.title) if isinstance(entry, FlatNode) else entry


def _map_items(value: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [item for item in map(function, value) if item is not _ABSENT]
    if isinstance(value, Mapping) and value.keys() != {"value"}:
        mapped = {name: function(item) for name, item in value.items()}
        return {name: item for name, item in mapped.items() if item is not _ABSENT}
    return value


def _map_links(value: Any, follow: Callable[[str], str | None]) -> Any:
    """A value with its links followed; `_MUTED` where nothing is behind one."""

    def item(one: Any) -> Any:
        reference = link_of(one)
        if reference is None:
            return one
        target = follow(reference)
        return {"from": target} if target is not None else _ABSENT

    reference = link_of(value)
    if reference is None:
        return _map_items(value, item)
    target = follow(reference)
    if target == reference:
        return value
    return {"from": target} if target is not None else _MUTED


def links_in(value: Any) -> Iterator[str]:
    """The references of a value: its own, or those one level inside a list or an object."""
    items = value if isinstance(value, list) else value.values() if isinstance(value, Mapping) else ()
    reference = link_of(value)
    if reference is not None:
        yield reference
        return
    for item in items:
        reference = link_of(item)
        if reference is not None:
            yield reference


def _without(value: Any, path: str) -> Any:
    """A value without its links to a node."""
    return _map_links(value, lambda ref: None if split_reference(ref)[0] == path else ref)
