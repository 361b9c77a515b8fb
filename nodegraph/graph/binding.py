"""Binding a document to node types: all problems in one pass, or a graph that can be planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from msgspec import Struct

from nodegraph.declare import InputSpec, NodeType
from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph import literals, topology
from nodegraph.graph.bodies import Body, definitions_used, given_entries, given_types
from nodegraph.graph.document import DamagedEntry, Document, literal_of, split_reference
from nodegraph.graph.expand import Flat, expand, expand_body, links_in
from nodegraph.graph.flatnodes import Entry
from nodegraph.graph.generics import Solution, substitute
from nodegraph.graph.growing import grow
from nodegraph.graph.literals import FileNames
from nodegraph.graph.members import find, ports_of
from nodegraph.graph.solving import Solver, placed
from nodegraph.graph.subgraphs import outside, type_of
from nodegraph.registry import Registry, suggest
from nodegraph.sockets import SocketType, assignable

MAX_BODIES = 50


class BoundNode(Struct, frozen=True, gc=False):
    """A node with its type: coerced literals with defaults filled in, and links as (node, output).

    sources: the nodes that it reads from, each once; eager: those of them that it reads before it starts (its
    lazy inputs run when it asks for them).
    """

    id: str
    title: str
    type: NodeType
    params: Mapping[str, Any]
    links: Mapping[str, tuple[str, str]]
    sources: tuple[str, ...]
    eager: tuple[str, ...]
    mentioned: tuple[tuple[str, str], ...] = ()
    """The (kind, name) of files that are there and that its literals speak of."""


@dataclass(frozen=True)
class BoundGraph:
    """A document that was checked: nodes in an order in which each follows what it reads."""

    document: Document
    nodes: Mapping[str, BoundNode]
    outputs: Mapping[str, tuple[str, str]]
    muted: frozenset[str] = frozenset()
    inside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The nodes behind the outputs of every subgraph node."""
    bodies: Mapping[str, Body] = field(default_factory=dict)
    """The subgraphs that control nodes run, by name."""
    solutions: Mapping[str, Solution] = field(default_factory=dict)
    """What the type variables of generic nodes stand for, by node id."""
    notes: tuple[str, ...] = ()
    """What was done for the workflow that its owner should know, in words: files used under other names."""

    @cached_property
    def output_types(self) -> Mapping[str, SocketType]:
        """The types of the named outputs, type variables solved as far as the graph says what they are."""
        return {
            name: substitute(self.nodes[node].type.outputs[output].type, self.solutions.get(node, {}))
            for name, (node, output) in self.outputs.items()
        }

    @cached_property
    def types(self) -> Sequence[NodeType]:
        """The types of the nodes, each once."""
        return distinct([node.type for node in self.nodes.values()])

    @cached_property
    def is_trivial(self) -> bool:
        """Whether every node runs at once, in microseconds."""
        return all(type_.runs_at_once for type_ in self.types)

    @cached_property
    def control_nodes(self) -> Sequence[BoundNode]:
        """The nodes that run bodies."""
        if not any(type_.body_inputs for type_ in self.types):
            return ()
        return [node for node in self.nodes.values() if node.type.body_inputs]


def distinct(types: Iterable[NodeType]) -> list[NodeType]:
    """These types, each once."""
    return list({id(type_): type_ for type_ in types}.values())


def bind(document: Document, registry: Registry, files: FileNames) -> BoundGraph:
    """Check everything at once. WorkflowError lists every problem of the workflow."""
    binder = _Binder(document, registry, files)
    graph = binder.bind()
    if binder.problems:
        raise WorkflowError(binder.problems)
    return graph


def problems_of(document: Document, registry: Registry, files: FileNames) -> list[Problem]:
    """Every problem of a workflow; empty if it can run."""
    binder = _Binder(document, registry, files)
    binder.bind()
    return binder.problems


class _Bodies:
    """The bodies of one document: each is bound once, whoever runs it."""

    def __init__(self, document: Document, registry: Registry, files: FileNames) -> None:
        self.document = document
        self.registry = registry
        self.files = files
        self.bound: dict[str, Body] = {}
        self.problems: list[Problem] = []
        self._under_way: list[str] = []

    def find(self, name: str) -> Body | None:
        """The body of that name; None if there is no such definition."""
        if name in self.bound or name in self._under_way:
            if name in self._under_way:
                way = " -> ".join([*self._under_way, name])
                message = f"the subgraph runs itself: {way}"
                self.problems.append(Problem("recursive_subgraph", message, f"#{name}"))
            return self.bound.get(name)
        if name not in self.document.subgraphs:
            return None
        try:
            type_ = outside(f"#{name}", self.document.subgraphs[name], self.registry)
        except ValueError as error:
            self.problems.append(Problem("unknown_type", f"the subgraph '{name}': {error}", f"#{name}"))
            return None
        if len(self._under_way) >= MAX_BODIES:
            message = f"bodies run bodies more than {MAX_BODIES} levels deep"
            self.problems.append(Problem("too_deep", message, f"#{name}"))
            return None
        self._under_way.append(name)
        flat = expand_body(self.document, name, self.registry, self.files)
        flat.nodes.update(given_entries(type_))
        binder = _Binder(self.document, self.registry, self.files, self, flat, given_types(type_))
        graph = binder.bind()
        binder.check_promised(type_, graph)
        self._under_way.pop()
        self.problems.extend(placed(problem, name) for problem in binder.problems)
        definitions = definitions_used(name, self.document, self.registry)
        self.bound[name] = Body(name, graph, type_, definitions)
        return self.bound[name]


class _Binder:
    def __init__(
        self,
        document: Document,
        registry: Registry,
        files: FileNames,
        bodies: _Bodies | None = None,
        flat: Flat | None = None,
        given: Mapping[str, NodeType] | None = None,
    ) -> None:
        """`flat` and `given` are set for a body: its nodes, and the types of its inputs' given nodes."""
        self.document = document
        self.registry = registry
        self.files = files
        self.whole = flat is None
        self.bodies = bodies or _Bodies(document, registry, files)
        self.flat = flat or expand(document, registry, files)
        self.given = given or {}
        self.problems: list[Problem] = list(self.flat.problems)
        self.types: dict[str, NodeType] = {}
        self.solver = Solver(self._problem, self.bodies.find, lambda: list(document.subgraphs))

    def bind(self) -> BoundGraph:
        entries, types, bind_node = self.flat.nodes, self.types, self._bind_node
        plain = {} if self.given else self._plain_types()
        for id_, entry in entries.items():
            type_ = plain.get(entry.type)
            if type_ is not None and entry.version is None:
                types[id_] = type_
            else:
                self._find_type(id_, entry)
        bound: dict[str, BoundNode] = {}
        in_order = True
        for id_ in self._sequence():
            node = bind_node(id_, entries[id_])
            for source in node.sources:
                if source not in bound:
                    in_order = False
            bound[id_] = node
        self._check_declared()
        outputs = self._bind_outputs()
        if self.whole:
            self._check_whole()
        nodes = bound if in_order else self._ordered(bound)
        return BoundGraph(
            self.document, nodes, outputs, frozenset(self.flat.muted), self.flat.inside, self.bodies.bound,
            self.solver.solutions,
        )  # fmt: skip

    def check_promised(self, type_: NodeType, graph: BoundGraph) -> None:
        """A body must give what its outputs declare: its control node relies on that."""
        for name, promised in type_.outputs.items():
            if name not in graph.outputs:
                damaged = any(isinstance(entry, DamagedEntry) for entry in self.flat.nodes.values())
                if not self.problems and not damaged:
                    message = f"the output '{name}' is muted, and a body must give it"
                    self._problem("unknown_output", message, None, f"outputs.{name}")
                continue
            given = self._output_type(*graph.outputs[name])
            verdict = assignable(given, promised.type)
            if not verdict.ok:
                self._problem(
                    "wrong_type", f"the output does not fit what it declares: {verdict.reason}", None,
                    f"outputs.{name}", expected=promised.type.words, found=given.words,
                )  # fmt: skip

    def _check_whole(self) -> None:
        """What is only asked of a whole document."""
        self._check_named_inputs()
        self.problems.extend(self.bodies.problems)
        if not self.document.nodes:
            self.problems.append(Problem("empty", "the workflow has no nodes", remedy="Add a node."))

    def _sequence(self) -> list[str]:
        """The nodes in an order for binding: where types are generic, each after what it reads."""
        if not any(type_.is_generic for type_ in distinct(self.types.values())):
            return list(self.types)
        reads = {
            id_: [
                source
                for value in self.flat.nodes[id_].inputs.values()
                for source in (split_reference(reference)[0] for reference in links_in(value))
                if source in self.types
            ]
            for id_ in self.types
        }
        try:
            return topology.order(reads)
        except topology.CycleError:
            return list(self.types)  # the circle is reported when the links are bound

    def _plain_types(self) -> Mapping[str, NodeType]:
        """Of the types that the document names, those that are the same at each of their nodes."""
        known = self.registry.nodes
        found = {kind: known[kind] for kind in {e.type for e in self.flat.nodes.values()} if kind in known}
        return {kind: type_ for kind, type_ in found.items() if not type_.grows}

    def _find_type(self, id_: str, entry: Entry) -> None:
        if id_ in self.given:
            self.types[id_] = self.given[id_]
            return
        if entry.type.startswith("#") or isinstance(entry, DamagedEntry):
            return  # what is wrong with it was reported when it was expanded, or read
        type_ = self.registry.nodes.get(entry.type)
        if type_ is None:
            self._problem(
                "unknown_type", f"no node type is called '{entry.type}'", id_,
                remedy=suggest(entry.type, self.registry.nodes) or "Install the pack that provides it.",
            )  # fmt: skip
            return
        if entry.version is not None and entry.version != type_.version:
            self._problem(
                "node_version", f"'{entry.type}' was saved with another version", id_,
                expected=f"version {type_.version}", found=f"version {entry.version}",
                remedy="Set the version after checking the inputs.",
            )  # fmt: skip
        if type_.grows:
            grown = grow(id_, type_, entry)
            self.problems.extend(grown.problems)
            type_, self.flat.nodes[id_] = grown.type, grown.entry
        self.types[id_] = type_

    def _bind_node(self, id_: str, entry: Entry) -> BoundNode:
        types = self.types
        type_ = types[id_]
        inputs = type_.inputs
        params: dict[str, Any] = dict(type_.defaults)
        links: dict[str, tuple[str, str]] = {}
        for name, given in entry.inputs.items():
            spec = inputs.get(name)
            if spec is None:
                self._report_unknown(id_, type_, name)
                continue
            if type(given) is spec.plain:  # the short way of most literals
                params[name] = given
                continue
            params.pop(name, None)
            reference = given.get("from") if type(given) is dict and len(given) == 1 else None
            if type(reference) is str:  # as `link_of` has it
                known = types[reference].known_output if reference in types else None
                if known is not None and known.type is spec.type:  # the short way of most links
                    links[name] = reference, known.name
                    continue
                link = self._bind_link(id_, spec, reference)
                if link is not None:
                    links[name] = link
            else:
                self._bind_literal(id_, spec, literal_of(given), params)
        for name in type_.required_inputs:
            if name not in entry.inputs:
                self._report_missing(id_, inputs[name])
        if type_.is_generic:
            linked = {name: self._output_type(*link) for name, link in links.items()}
            self.solver.solve(id_, type_, params, linked)
        sources = tuple(dict.fromkeys([source for source, _ in links.values()])) if links else ()
        eager = _eager(type_, links) if type_.lazy_inputs else sources
        mentioned = self._mentioned(type_, params) if type_.mentions is not None else ()
        return BoundNode(id_, entry.title or id_, type_, params, links, sources, eager, mentioned)

    def _mentioned(self, type_: NodeType, params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Of each file that literals mention the first candidate that is there."""
        groups = type_.mentions(params) if type_.mentions is not None else ()
        found = (next((pair for pair in pairs if self.files.has(*pair)), None) for pairs in groups)
        return tuple(dict.fromkeys(pair for pair in found if pair is not None))

    def _report_unknown(self, id_: str, type_: NodeType, name: str) -> None:
        remedy = suggest(name, type_.inputs)
        self._problem("unknown_input", f"'{type_.id}' has no such input", id_, name, remedy=remedy)

    def _report_missing(self, id_: str, spec: InputSpec) -> None:
        remedy = (
            "Write a value."
            if spec.type.has_literal
            else f"Link it to an output that gives: {spec.type.words}."
        )
        self._problem(
            "missing_input", "the input is required", id_, spec.name,
            expected=literals.expected(spec), remedy=remedy,
        )  # fmt: skip

    def _bind_literal(self, id_: str, spec: InputSpec, value: Any, params: dict[str, Any]) -> None:
        try:
            params[spec.name] = literals.coerce(spec, value, self.registry, self.files)
        except literals.LiteralError as found:
            for error in found.all():
                self._problem(
                    error.code, error.message, id_, spec.name + error.place,
                    expected=error.expected, found=error.found, remedy=error.remedy,
                )  # fmt: skip

    def _bind_link(self, id_: str, spec: InputSpec, reference: str) -> tuple[str, str] | None:
        resolved = self._resolve(reference, id_, spec.name)
        if resolved is None:
            return None
        given = self._output_type(*resolved)
        if given is spec.type:
            return resolved
        verdict = assignable(given, spec.type)
        if not verdict.ok:
            self._problem(
                "wrong_type", f"the link from '{reference}' does not fit: {verdict.reason}", id_, spec.name,
                expected=spec.type.words, found=given.words,
            )  # fmt: skip
            return None
        return resolved

    def _output_type(self, source: str, output: str) -> SocketType:
        return self.solver.output_type(source, self.types[source], output)

    def _resolve(self, reference: str, id_: str | None, name: str | None) -> tuple[str, str] | None:
        """(node, output) of a reference; None after noting what is wrong with it."""
        whole = self.types.get(reference)
        if whole is not None and whole.single_output is not None:
            return reference, whole.single_output.name
        source, output = split_reference(reference)
        if source not in self.types:
            if source not in self.flat.nodes and source not in self.flat.muted:  # else already reported
                self._problem(
                    "unknown_node", f"there is no node '{source}' to read from", id_, name,
                    remedy=suggest(source, self.flat.nodes),
                )  # fmt: skip
            return None
        type_ = self.types[source]
        if output is None:
            if type_.single_output is not None:
                return source, type_.single_output.name
            remedy = "Write which: " + ", ".join(f"'{source}.{item}'" for item in type_.outputs) + "."
            count = len(type_.outputs)
            self._problem(
                "unknown_output",
                f"'{source}' has {count} outputs",
                id_,
                name,
                remedy=remedy if count else None,
            )
            return None
        if output not in type_.outputs:
            self._problem(
                "unknown_output", f"'{source}' ({type_.id}) has no output '{output}'", id_, name,
                remedy=suggest(output, type_.outputs),
            )  # fmt: skip
            return None
        return source, output

    def _bind_outputs(self) -> dict[str, tuple[str, str]]:
        outputs: dict[str, tuple[str, str]] = {}
        types = self.types
        for name, reference in self.flat.outputs.items():
            if reference in types and (only := types[reference].single_output) is not None:
                outputs[name] = reference, only.name
                continue
            resolved = self._resolve(reference, None, f"outputs.{name}")
            if resolved is not None:
                outputs[name] = resolved
        return outputs

    def _check_declared(self) -> None:
        """What is linked into a subgraph must fit the type that it declares."""
        for link in self.flat.declared:
            source, output = split_reference(link.reference)
            given = self.types.get(source)
            spec = given.outputs.get(output) if given and output else given.single_output if given else None
            if spec is None:
                continue  # the reference was reported where it is read
            type_ = self._output_type(source, spec.name)
            if type_ is link.type:
                continue
            verdict = assignable(type_, link.type)
            if not verdict.ok:
                self._problem(
                    "wrong_type", f"the link from '{link.reference}' does not fit: {verdict.reason}",
                    link.node, link.input, expected=link.type.words, found=type_.words,
                )  # fmt: skip

    def _check_named_inputs(self) -> None:
        for name, entry in self.document.inputs.items():
            for reference in entry.to:
                self._check_target(name, reference)

    def _check_target(self, name: str, reference: str) -> None:
        node, port = split_reference(reference)
        entry = self.document.nodes.get(node)
        type_ = type_of(entry, self.document, self.registry) if entry is not None else None
        if entry is not None and type_ is not None and port and find(type_, entry, port) is not None:
            return
        if entry is not None and type_ is None:
            return  # its unknown type was already reported
        known = suggest(node, self.document.nodes)
        if entry is not None and type_ is not None:
            known = suggest(port or "", ports_of(type_, entry))
        message = f"the workflow input '{name}' feeds '{reference}', which does not exist"
        self._problem("unknown_input", message, None, f"inputs.{name}", remedy=known)

    def _ordered(self, bound: Mapping[str, BoundNode]) -> Mapping[str, BoundNode]:
        """The nodes so that each comes after what it reads."""
        sources = {id_: node.sources for id_, node in bound.items()}
        try:
            return {id_: bound[id_] for id_ in topology.order(sources)}
        except topology.CycleError as error:
            self._problem(
                "cycle", f"the graph goes round in a circle: {error}", error.edges[0][0],
                remedy="Remove one of these links.",
            )  # fmt: skip
            return bound

    def _problem(
        self, code: str, message: str, node: str | None, name: str | None = None, *,
        expected: str | None = None, found: str | None = None, remedy: str | None = None,
    ) -> None:  # fmt: skip
        title = self.flat.nodes[node].title if node in self.flat.nodes else None
        self.problems.append(Problem(code, message, node, title, name, expected, found, remedy or None))


def _eager(type_: NodeType, links: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
    """The nodes that one with lazy inputs reads before it starts, each once."""
    return tuple(dict.fromkeys([node for name, (node, _) in links.items() if name not in type_.lazy_inputs]))
