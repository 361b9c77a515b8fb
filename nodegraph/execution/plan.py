"""The plan: what will run, what is reused and why, before anything runs.

`plan` is a pure function of snapshots. The executor carries it out; the editor, the CLI and the server show
the same one.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nodegraph.errors import Problem, WorkflowError
from nodegraph.execution.keys import digest, node_key
from nodegraph.graph.binding import BoundGraph, BoundNode
from nodegraph.graph.document import Document
from nodegraph.registry import suggest
from nodegraph.sockets import FileType, OptionalType

Action = Literal["run", "memory", "saved", "not needed"]
Parts = Mapping[str, Any]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What planning may know: all of it taken at one moment.

    file_hashes: (kind, name) -> content hash; cached and saved: keys that need not run; profile: the
    execution profile of nodes that compute with weights; nonce: in the key of volatile nodes; earlier: the
    key parts of the closest earlier run by node id; document: the digest of what is stored in saved files.
    """

    file_hashes: Mapping[Pair, str] = field(default_factory=dict)
    cached: Container[str] = ()
    saved: Container[str] = ()
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


@dataclass(frozen=True, slots=True)
class Plan:
    """Every node of the graph in running order, and the nodes whose results are wanted."""

    graph: BoundGraph
    entries: Mapping[str, PlanEntry]
    targets: tuple[str, ...]

    def by_action(self, action: Action) -> list[str]:
        """The ids of the nodes with that action, in running order."""
        return [id_ for id_, entry in self.entries.items() if entry.action == action]


def files_of(graph: BoundGraph) -> set[Pair]:
    """The (kind, name) of every file that the graph's literals name."""
    return {pair for node in graph.nodes.values() for pair in _files(node).values()}


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
    known = [*graph.outputs, *graph.nodes]
    unknown = [name for name in wanted if name not in graph.outputs and name not in graph.nodes]
    if unknown:
        raise WorkflowError(
            Problem(
                "unknown_target", f"there is no output or node '{name}'", remedy=suggest(name, known) or None
            )
            for name in unknown
        )
    return tuple(dict.fromkeys(graph.outputs[name][0] if name in graph.outputs else name for name in wanted))


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
    actions = _actions(graph, targets, keys, snapshot)
    entries = {
        id_: PlanEntry(
            node, keys[id_], parts[id_], (action := actions.get(id_, "not needed")),
            waiting.get(id_) or _reason(action, parts[id_], snapshot.earlier.get(id_)),
            _effect(node, keys[id_], snapshot),
        )
        for id_, node in graph.nodes.items()
    }  # fmt: skip
    return Plan(graph, entries, tuple(targets))


def content_digest(document: Document) -> str:
    """The digest of a document as it is stored in files: `view` apart, which changes no result."""
    return digest({name: value for name, value in document.to_json().items() if name != "view"})


def _effect(node: BoundNode, key: str | None, snapshot: Snapshot) -> str | None:
    """What a save node writes depends on its key and on the document that travels in the file."""
    return digest([key, snapshot.document]) if key is not None and node.type.output else None


def _files(node: BoundNode) -> dict[str, Pair]:
    """The files that a node's literals name, by input."""
    found: dict[str, Pair] = {}
    for name, value in node.params.items():
        type_ = node.type.inputs[name].type
        inner = type_.item if isinstance(type_, OptionalType) else type_
        if isinstance(inner, FileType) and value is not None:
            found[name] = (inner.kind, value)
    return found


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
    files = _files(node)
    parts: dict[str, Any] = {
        name: {"file": snapshot.file_hashes[files[name]]} if name in files else value
        for name, value in node.params.items()
    }
    for name, (source, output) in node.links.items():
        parts[name] = {"key": keys[source], "output": output}
    if type_.lane == "device":
        parts["@profile"] = snapshot.profile
    if type_.cache == "volatile":
        parts["@nonce"] = snapshot.nonce
    elif callable(type_.cache):
        parts["@fingerprint"] = type_.cache(node.params)
    return parts


def _actions(
    graph: BoundGraph, targets: Sequence[str], keys: Mapping[str, str | None], snapshot: Snapshot
) -> dict[str, Action]:
    """What happens to each needed node. Nothing upstream of a reused node is looked at."""
    actions: dict[str, Action] = {}
    stack = list(targets)
    while stack:
        id_ = stack.pop()
        if id_ in actions:
            continue
        node, key = graph.nodes[id_], keys[id_]
        if node.type.output and _effect(node, key, snapshot) in snapshot.saved:
            actions[id_] = "saved"
        elif key is not None and not node.type.output and key in snapshot.cached:
            actions[id_] = "memory"
        else:
            actions[id_] = "run"
            stack.extend(graph.reads(id_))
    return actions


def _reason(action: Action, parts: Parts, earlier: Parts | None) -> str:
    if action == "saved":
        return "already saved"
    if action == "memory":
        return "unchanged"
    if action == "not needed":
        return "no wanted result needs it"
    if earlier is None:
        return "first run"
    changed = [name for name in {**parts, **earlier} if parts.get(name) != earlier.get(name)]
    return f"changed: {', '.join(changed)}" if changed else "not kept in the cache"
