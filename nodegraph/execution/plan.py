"""The plan: what will run, what is reused and why, before anything runs.

`plan` is a pure function of snapshots. The executor carries it out; the editor, the CLI and the server show
the same one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from nodegraph.declare import NodeType
from nodegraph.errors import Problem, WorkflowError, cause_of
from nodegraph.execution.bodies import Traits, code_chosen, files_named, traits_by_node, traits_of
from nodegraph.execution.keys import digest, encode, node_key
from nodegraph.graph.binding import BoundGraph, BoundNode
from nodegraph.graph.document import Document
from nodegraph.registry import suggest

Action = Literal["run", "memory", "disk", "saved", "maybe", "not needed"]
Parts = Mapping[str, Any]
Pair = tuple[str, str]
_AGAIN = "not kept in the cache"
_AGAIN_EFFECT = "an effect: no file of it lies there as it would be now"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What planning may know: all of it taken at one moment.

    file_hashes: (kind, name) -> content hash; cached, stored (on disk) and saved: keys that need not run;
    profile: the execution profile of nodes that compute with weights; nonce: in the key of volatile nodes;
    earlier: the key parts of the closest earlier run by node id; document: the digest of what is stored in
    saved files; given: the keys of nodes whose results are given from outside (the inputs of a body);
    fleeting: those of them in which a volatile node had a part; choice_code: (registry, name) -> digest of
    the third-party pack that a choice comes from.
    """

    file_hashes: Mapping[Pair, str] = field(default_factory=dict)
    cached: Container[str | None] = ()
    stored: Container[str | None] = ()
    saved: Container[str | None] = ()
    profile: str = ""
    nonce: str = ""
    earlier: Mapping[str, Parts] = field(default_factory=dict)
    document: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    fleeting: frozenset[str] = frozenset()
    choice_code: Mapping[Pair, str] = field(default_factory=dict)


class Upstream(Struct, frozen=True, gc=False):
    """The key part of a linked input: the output of another node, by that node's key."""

    key: str | None
    output: str


class PlanEntry(Struct, frozen=True, gc=False):
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
    counts: Counter[Action] = field(repr=False)
    """How many nodes have each action."""

    def by_action(self, action: Action) -> list[str]:
        """The ids of the nodes with that action, in running order."""
        return [entry.node.id for entry in self.with_action(action)]

    def with_action(self, action: Action) -> list[PlanEntry]:
        """The nodes with that action, in running order."""
        if not self.counts[action]:
            return []
        return [entry for entry in self.entries.values() if entry.action == action]


def files_of(graph: BoundGraph) -> set[Pair]:
    """The (kind, name) of every file that the graph's literals name."""
    named: set[Pair] = set()
    if any(type_.file_inputs or type_.mentions for type_ in graph.types):
        named.update(pair for node in graph.nodes.values() for pair in files_named(node).values())
    return named.union(*(traits_of(graph, node).files for node in graph.control_nodes))


def resolve_targets(graph: BoundGraph, wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """The nodes to run for: by id or by the name of a workflow output.

    Without `wanted`: the nodes that are run for their effect, and the workflow's named outputs. Raises
    WorkflowError for an unknown name, or where a workflow has nothing to run for.
    """
    if wanted is None:
        targets = dict.fromkeys([*effects_of(graph), *[node for node, _ in graph.outputs.values()]])
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


def computes_with_weights(graph: BoundGraph) -> bool:
    """Whether a node of the graph, or of a body that it runs, computes with weights."""
    return any(type_.lane == "device" for type_ in graph.types) or any(
        traits_of(graph, node).weights for node in graph.control_nodes
    )


def effects_of(graph: BoundGraph) -> list[str]:
    """The nodes that are run for their effect."""
    if not any(type_.output or type_.body_inputs for type_ in graph.types):
        return []
    return [id_ for id_, node in graph.nodes.items() if has_effect(graph, node)]


def has_effect(graph: BoundGraph, node: BoundNode) -> bool:
    """Whether a node is run for its effect, or runs a body in which one is."""
    return node.type.output or (bool(node.type.body_inputs) and traits_of(graph, node).effects)


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
    traits = traits_by_node(graph)
    keys, parts, waiting = _keyed(graph, traits, snapshot)
    effects = {
        id_: digest([keys[id_], snapshot.document]) for id_ in effects_of(graph) if keys[id_] is not None
    }
    fleeting = _fleeting(graph, traits, snapshot.fleeting)
    actions = _Choice(graph, keys, effects, fleeting, traits, snapshot).actions(targets)
    entries: dict[str, PlanEntry] = {}
    earlier = snapshot.earlier
    # Three mappings in the same order, walked together: looking each node up again is dear in a large graph.
    for (id_, node), key, part in zip(graph.nodes.items(), keys.values(), parts.values(), strict=True):
        action, effect = actions.get(id_, "not needed"), effects.get(id_)
        reason = waiting.get(id_) or _reason(action, part, earlier.get(id_), effect)
        entries[id_] = PlanEntry(node, key, part, action, reason, effect, id_ not in fleeting)
    return Plan(graph, entries, tuple(targets), Counter([entry.action for entry in entries.values()]))


def _keyed(
    graph: BoundGraph, traits: Mapping[str, Traits], snapshot: Snapshot
) -> tuple[dict[str, str | None], dict[str, Parts], dict[str, str]]:
    """The key and the key parts of every node, and what those without a key wait for."""
    keys: dict[str, str | None] = {}
    parts: dict[str, Parts] = {}
    waiting: dict[str, str] = {}
    given = snapshot.given
    for id_, node in graph.nodes.items():
        type_ = node.type
        if id_ in given:
            keys[id_], parts[id_] = given[id_], {}
            continue
        if waiting or not type_.depends_on_inputs_alone:
            missing = _missing_hash(node, traits.get(id_), keys, snapshot)
            if missing:
                keys[id_], parts[id_], waiting[id_] = None, {}, missing
                continue
        parts[id_] = found = _parts(node, traits, keys, snapshot)
        keys[id_] = node_key(type_.id, type_.version, found)
    return keys, parts, waiting


def content_digest(document: Document) -> str:
    """The digest of a document as it is stored in files: apart from what changes no result.

    That is `view`, and what is known of model files: their content is in the keys.
    """
    data = {name: value for name, value in document.to_json().items() if name != "view"}
    requires = {name: value for name, value in document.requires.items() if name != "models"}
    if "requires" in data and requires != data["requires"]:
        data.pop("requires")
        data.update({"requires": requires} if requires else {})
    return digest(data)


def _missing_hash(
    node: BoundNode, traits: Traits | None, keys: Mapping[str, str | None], snapshot: Snapshot
) -> str:
    inside = traits.files if traits is not None else ()
    for pair in (*files_named(node).values(), *inside):
        if pair not in snapshot.file_hashes:
            return f"waiting for the hash of '{pair[1]}'"
    for source, _ in node.links.values():
        if keys.get(source) is None:
            return f"waiting for '{source}'"
    return ""


def _parts(
    node: BoundNode, by_node: Mapping[str, Traits], keys: Mapping[str, str | None], snapshot: Snapshot
) -> Parts:
    """Everything a node's result depends on, by input; engine-side parts start with '@'."""
    type_ = node.type
    parts = type_.counting(node.params)
    for name, (source, output) in node.links.items():
        parts[name] = Upstream(keys[source], output)
    if type_.depends_on_inputs_alone:
        return parts
    traits = by_node.get(node.id)
    for name, pair in files_named(node).items():
        parts[name] = {"file": snapshot.file_hashes[pair]}
    if traits is not None:
        parts["@bodies"] = [traits.digest, [snapshot.file_hashes[pair] for pair in sorted(traits.files)]]
    code = _code_of(node, traits, snapshot)
    if code:
        parts["@code"] = code
    if type_.lane == "device" or (traits is not None and traits.weights):
        parts["@profile"] = snapshot.profile
    if type_.cache == "volatile" or (traits is not None and traits.volatile):
        parts["@nonce"] = snapshot.nonce
    elif callable(type_.cache):
        parts["@fingerprint"] = _fingerprint(node, type_.cache)
    if traits is not None and traits.watching:
        parts["@fingerprints"] = [_fingerprint(one, one.type.cache) for one in traits.watching]
    return parts


def _code_of(node: BoundNode, traits: Traits | None, snapshot: Snapshot) -> list[str]:
    """The digests of the third-party packs that a node's result depends on; empty where there are none."""
    inside = traits.code if traits is not None else ()
    chosen: list[str] = []
    if snapshot.choice_code:
        chosen = code_chosen((node, *(traits.choosing if traits is not None else ())), snapshot.choice_code)
    return [node.type.code, *inside, *chosen] if node.type.code or inside or chosen else []


def _fingerprint(node: BoundNode, function: Any) -> str:
    """What the node's author says that its result depends on. WorkflowError if that fails."""
    try:
        return str(function(node.params))
    except Exception as error:
        message = f"its fingerprint cannot be taken: {cause_of(error)}"
        raise WorkflowError([Problem("fingerprint_failed", message, node.id, node.title)]) from error


@dataclass(frozen=True, slots=True)
class _Choice:
    """Chooses what happens to each needed node."""

    graph: BoundGraph
    keys: Mapping[str, str | None]
    effects: Mapping[str, str]
    fleeting: Container[str]
    traits: Mapping[str, Traits]
    snapshot: Snapshot

    def actions(self, targets: Sequence[str]) -> dict[str, Action]:
        """Walk back from the targets. Nothing upstream of a reused node is looked at."""
        actions: dict[str, Action] = {}
        needed = set(targets)
        maybe: set[str] = set()
        keys, cached, given, effects = self.keys, self.snapshot.cached, self.snapshot.given, self.effects
        # A file on disk does not give a node's outputs.
        read = {node for node, _ in self.graph.outputs.values()} if effects else set[str]()
        for id_, node in reversed(self.graph.nodes.items()):  # type: ignore[call-overload] # a dict's can
            if id_ not in needed and id_ not in maybe:
                continue
            if keys[id_] in cached or id_ in given:
                actions[id_] = "memory"  # what is run for its effect is in no cache
                continue
            type_ = node.type
            stored = None if type_.runs_at_once and not type_.output else self._stored(node, id_ in read)
            if stored is not None:
                actions[id_] = stored
                continue
            if id_ not in needed:
                actions[id_] = "maybe"
                maybe.update(node.sources)
            else:
                actions[id_] = "run"
                needed.update(node.eager)
                if node.eager is not node.sources:
                    maybe.update(node.links[name][0] for name in type_.lazy_inputs.intersection(node.links))
            if effects:
                read.update(node.sources)
        return actions

    def _stored(self, node: BoundNode, is_read: bool) -> Action | None:
        """Where on disk the node's result, or what it saved, lies already, or None."""
        id_, snapshot = node.id, self.snapshot
        if node.type.output or (id_ in self.traits and self.traits[id_].effects):
            saved = self.effects.get(id_) in snapshot.saved and not is_read
            return "saved" if saved else None
        stored = may_be_stored(node.type) and id_ not in self.fleeting and self.keys[id_] in snapshot.stored
        return "disk" if stored else None


def _fleeting(graph: BoundGraph, traits: Mapping[str, Traits], given: frozenset[str]) -> set[str]:
    """The volatile nodes and everything that reads from one, near or far."""
    found = set(given)
    if any(type_.cache == "volatile" for type_ in graph.types):
        found.update(id_ for id_, node in graph.nodes.items() if node.type.cache == "volatile")
    found.update(id_ for id_, one in traits.items() if one.volatile)
    if found:
        for id_, node in graph.nodes.items():  # in running order: what it reads was looked at before
            if not found.isdisjoint(node.sources):
                found.add(id_)
    return found


def may_be_stored(type_: NodeType) -> bool:
    """Whether results of such a node are worth looking for on disk: an effect or microseconds are not."""
    return not type_.output and (type_.lane != "inline" or type_.is_async)


def _reason(action: Action, parts: Parts, earlier: Parts | None, effect: str | None) -> str:
    """Why a node has its action, in words. `effect` is set for one that is run for its effect."""
    if action != "run":
        return _REASONS[action]
    if earlier is None:
        return "first run"
    if parts != earlier:
        changed = [name for name in {**parts, **earlier} if _differ(parts.get(name), earlier.get(name))]
        if changed:
            return f"changed: {', '.join(changed)}"
    return _AGAIN if effect is None else _AGAIN_EFFECT


_REASONS: Mapping[Action, str] = {
    "saved": "already saved",
    "memory": "unchanged",
    "disk": "unchanged",
    "not needed": "no wanted result needs it",
    "maybe": "if its branch is taken",
}


def _differ(now: Any, earlier: Any) -> bool:
    """Whether two parts differ in a key; what was read from a file has lists for tuples."""
    return bool(now != earlier) and encode(now) != encode(earlier)
