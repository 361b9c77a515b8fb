"""The plan: what will run, what is reused and why, before anything runs.

`plan` is a pure function of snapshots. The executor carries it out; the editor, the CLI and the server show
the same one.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nodegraph.declare import Fingerprint, NodeType
from nodegraph.errors import Problem, WorkflowError
from nodegraph.execution.keys import digest, node_key
from nodegraph.graph.binding import BoundGraph, BoundNode
from nodegraph.graph.document import Document
from nodegraph.registry import suggest

Action = Literal["run", "memory", "disk", "saved", "not needed"]
Parts = Mapping[str, Any]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What planning may know: all of it taken at one moment.

    file_hashes: (kind, name) -> content hash; cached, stored (on disk) and saved: keys that need not run;
    profile: the execution profile of nodes that compute with weights; nonce: in the key of volatile nodes;
    earlier: the key parts of the closest earlier run by node id; document: the digest of what is stored in
    saved files.
    """

    file_hashes: Mapping[Pair, str] = field(default_factory=dict)
    cached: Container[str | None] = ()
    stored: Container[str | None] = ()
    saved: Container[str | None] = ()
    profile: str = ""
    nonce: str = ""
    earlier: Mapping[str, Parts] = field(default_factory=dict)
    document: str = ""


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One node: its key (None while a file's hash is missing), what happens to it, and why."""

    node: BoundNode
    key: str | None
    parts: Parts
    action: Action
    reason: str
    effect: str | None = None
    """For a node that is run for its effect: the key under which what it saved is remembered."""
    lasting: bool = True
    """Whether the result may outlive the process: neither the node nor any upstream is volatile."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every node of the graph in running order, and the nodes whose results are wanted."""

    graph: BoundGraph = field(repr=False)
    entries: Mapping[str, PlanEntry] = field(repr=False)
    targets: tuple[str, ...]

    def by_action(self, action: Action) -> list[str]:
        """The ids of the nodes with that action, in running order."""
        return [id_ for id_, entry in self.entries.items() if entry.action == action]

    def reused_keys(self) -> list[str]:
        """The keys of the results that are taken from the cache."""
        return [entry.key for entry in self.entries.values() if entry.action == "memory" and entry.key]


def files_of(graph: BoundGraph) -> set[Pair]:
    """The (kind, name) of every file that the graph's literals name."""
    return {pair for node in graph.nodes.values() if node.type.file_inputs for pair in _files(node).values()}


def resolve_targets(graph: BoundGraph, wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """The nodes to run for: by id or by the name of a workflow output.

    Without `wanted`: the nodes that are run for their effect, and the workflow's named outputs. Raises
    WorkflowError for an unknown name, or where a workflow has nothing to run for.
    """
    if wanted is None:
        effects = [id_ for id_, node in graph.nodes.items() if node.type.output]
        targets = dict.fromkeys([*effects, *(node for node, _ in graph.outputs.values())])
        if not targets:
            message = "nothing in the workflow shows or saves a result"
            raise WorkflowError([Problem("no_target", message, remedy="Add a save node.")])
        return tuple(targets)
    known = [*graph.outputs, *graph.nodes, *graph.inside]
    unknown = [
        name
        for name in wanted
        if name not in graph.outputs and name not in graph.nodes and name not in graph.inside
    ]
    if unknown:
        raise WorkflowError(
            Problem(
                "unknown_target", f"there is no output or node '{name}'", remedy=suggest(name, known) or None
            )
            for name in unknown
        )
    return tuple(dict.fromkeys(node for name in wanted for node in _nodes_behind(graph, name)))


def _nodes_behind(graph: BoundGraph, name: str) -> list[str]:
    """The nodes that a name stands for: a workflow output, a node, or a subgraph node's outputs."""
    if name in graph.outputs:
        return [graph.outputs[name][0]]
    if name not in graph.inside:
        return [name]
    found: list[str] = []
    stack = [reference.partition(".")[0] for reference in graph.inside[name]]
    while stack:
        node = stack.pop()
        if node in graph.inside:
            stack.extend(reference.partition(".")[0] for reference in graph.inside[node])
        else:
            found.append(node)
    return found


def plan(graph: BoundGraph, targets: Sequence[str], snapshot: Snapshot) -> Plan:
    """Key every node and decide what runs. Linear in the size of the graph."""
    keys: dict[str, str | None] = {}
    parts: dict[str, Parts] = {}
    waiting: dict[str, str] = {}
    for id_, node in graph.nodes.items():
        missing = _missing_hash(node, keys, snapshot)
        if missing:
            keys[id_], parts[id_], waiting[id_] = None, {}, missing
            continue
        parts[id_] = _parts(node, keys, snapshot)
        keys[id_] = node_key(node.type.id, node.type.version, parts[id_])
    effects = {
        id_: digest([key, snapshot.document])
        for id_, key in keys.items()
        if key is not None and graph.nodes[id_].type.output
    }
    fleeting = _fleeting(graph)
    actions = _actions(graph, targets, keys, effects, fleeting, snapshot)
    entries: dict[str, PlanEntry] = {}
    for id_, node in graph.nodes.items():
        action = actions.get(id_, "not needed")
        reason = waiting.get(id_) or _reason(action, parts[id_], snapshot.earlier.get(id_))
        entries[id_] = PlanEntry(
            node, keys[id_], parts[id_], action, reason, effects.get(id_), id_ not in fleeting
        )
    return Plan(graph, entries, tuple(targets))


def content_digest(document: Document) -> str:
    """The digest of a document as it is stored in files: `view` apart, which changes no result."""
    return digest({name: value for name, value in document.to_json().items() if name != "view"})


def _files(node: BoundNode) -> dict[str, Pair]:
    """The (kind, name) behind every input that names a file."""
    named = ((input_, kind, node.params.get(input_)) for input_, kind in node.type.file_inputs.items())
    return {input_: (kind, name) for input_, kind, name in named if name is not None}


def _missing_hash(node: BoundNode, keys: Mapping[str, str | None], snapshot: Snapshot) -> str:
    for pair in _files(node).values():
        if pair not in snapshot.file_hashes:
            return f"waiting for the hash of '{pair[1]}'"
    for source, _ in node.links.values():
        if keys.get(source) is None:
            return f"waiting for '{source}'"
    return ""


def _parts(node: BoundNode, keys: Mapping[str, str | None], snapshot: Snapshot) -> Parts:
    """Everything a node's result depends on, by input; engine-side parts start with '@'."""
    type_ = node.type
    parts: dict[str, Any] = dict(node.params)
    for name, pair in _files(node).items():
        parts[name] = {"file": snapshot.file_hashes[pair]}
    for name, (source, output) in node.links.items():
        parts[name] = {"key": keys[source], "output": output}
    if type_.lane == "device":
        parts["@profile"] = snapshot.profile
    if type_.cache == "volatile":
        parts["@nonce"] = snapshot.nonce
    elif callable(type_.cache):
        parts["@fingerprint"] = _fingerprint(node, type_.cache)
    return parts


def _fingerprint(node: BoundNode, function: Fingerprint) -> str:
    """What the node's author says that its result depends on. WorkflowError if that fails."""
    try:
        return str(function(node.params))
    except Exception as error:
        message = f"its fingerprint cannot be taken: {type(error).__name__}: {error}"
        raise WorkflowError([Problem("fingerprint_failed", message, node.id, node.title)]) from error


def _actions(
    graph: BoundGraph,
    targets: Sequence[str],
    keys: Mapping[str, str | None],
    effects: Mapping[str, str],
    fleeting: Container[str],
    snapshot: Snapshot,
) -> dict[str, Action]:
    """What happens to each needed node. Nothing upstream of a reused node is looked at."""
    actions: dict[str, Action] = {}
    needed = set(targets)
    read = {node for node, _ in graph.outputs.values()}  # a file on disk does not give a node's outputs
    for id_ in reversed(list(graph.nodes)):
        if id_ not in needed:
            continue
        node = graph.nodes[id_]
        if effects.get(id_) in snapshot.saved and id_ not in read:
            actions[id_] = "saved"
        elif not node.type.output and keys[id_] in snapshot.cached:
            actions[id_] = "memory"
        elif may_be_stored(node.type) and id_ not in fleeting and keys[id_] in snapshot.stored:
            actions[id_] = "disk"
        else:
            actions[id_] = "run"
            sources = graph.reads(id_)
            needed.update(sources)
            read.update(sources)
    return actions


def _fleeting(graph: BoundGraph) -> set[str]:
    """The volatile nodes and everything that reads from one, near or far."""
    found = {id_ for id_, node in graph.nodes.items() if node.type.cache == "volatile"}
    if found:
        for id_ in graph.nodes:  # in running order: what it reads was looked at before
            if not found.isdisjoint(graph.reads(id_)):
                found.add(id_)
    return found


def may_be_stored(type_: NodeType) -> bool:
    """Whether results of such a node are worth looking for on disk: an effect or microseconds are not."""
    return not type_.output and (type_.lane != "inline" or type_.is_async)


def _reason(action: Action, parts: Parts, earlier: Parts | None) -> str:
    if action == "saved":
        return "already saved"
    if action in ("memory", "disk"):
        return "unchanged"
    if action == "not needed":
        return "no wanted result needs it"
    if earlier is None:
        return "first run"
    changed = [name for name in {**parts, **earlier} if parts.get(name) != earlier.get(name)]
    return f"changed: {', '.join(changed)}" if changed else "not kept in the cache"
