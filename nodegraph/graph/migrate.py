"""Old files open right: documents and nodes are taken from version to version by functions, in order.

A document says its format (`"nodegraph": 1`), a node the version of its type that it was written for; a node
without one was written for version 1. What a step changes is rewritten wherever it is named: the node's
inputs, the links to its outputs, and the named inputs that feed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nodegraph.errors import Problem, WorkflowError, cause_of
from nodegraph.graph.document import (
    FORMAT_VERSION,
    Document,
    NodeEntry,
    link_of,
    split_port,
    split_reference,
)
from nodegraph.hookspecs import NodeMigration
from nodegraph.registry import Registry

Data = Mapping[str, Any]
DOCUMENT_STEPS: Sequence[Callable[[Data], Data]] = ()
"""The step at index 0 takes the data of a document from format 1 to format 2, and so on."""


def migrate_data(data: Data, steps: Sequence[Callable[[Data], Data]] = DOCUMENT_STEPS) -> Data:
    """The data of a document of any known format in the newest one."""
    for step in steps[data["nodegraph"] - 1 :]:
        data = {**step(data), "nodegraph": data["nodegraph"] + 1}
    return data


def is_known_format(version: object) -> bool:
    """Whether documents of this format can be read."""
    return type(version) is int and 1 <= version <= FORMAT_VERSION


def migrate_nodes(document: Document, registry: Registry) -> Document:
    """The document with every node as the newest version of its type wants it.

    A node that no step leads on from stays as it is. WorkflowError names a node whose step failed.
    """
    if not registry.migrations:
        return document
    top = _Scope(document.nodes, registry)
    inner = {name: _Scope(entry.nodes, registry, f"#{name}/") for name, entry in document.subgraphs.items()}
    changes: dict[str, Any] = {}
    if top.changed:
        changes["nodes"] = top.nodes
        changes["outputs"] = _with_sources(document.outputs, top)
        changes["inputs"] = {
            name: entry.model_copy(update={"to": [top.fed(place) for place in entry.to]})
            for name, entry in document.inputs.items()
        }
    if any(scope.changed for scope in inner.values()):
        changes["subgraphs"] = {
            name: entry.model_copy(
                update={"nodes": inner[name].nodes, "outputs": _with_sources(entry.outputs, inner[name])}
            )
            for name, entry in document.subgraphs.items()
        }
    fields_set = document.model_fields_set
    return document.model_copy(update={name: new for name, new in changes.items() if name in fields_set})


class _Scope:
    """The nodes of a document or of a subgraph, taken to their newest versions."""

    def __init__(self, nodes: Mapping[str, NodeEntry], registry: Registry, place: str = "") -> None:
        self.registry = registry
        self.inputs: dict[tuple[str, str], str] = {}
        self.outputs: dict[tuple[str, str], str] = {}
        migrated = {id_: self._migrate(id_, entry, place) for id_, entry in nodes.items()}
        self.changed = any(migrated[id_] is not entry for id_, entry in nodes.items())
        self.nodes = (
            {id_: self._relinked(entry) for id_, entry in migrated.items()} if self.outputs else migrated
        )

    def fed(self, place: str) -> str:
        """A `node.input`, or a member of one, under its new name."""
        _, port = split_reference(place)
        member = (port or "").removeprefix(split_port(port or "")[0])
        return _renamed(place.removesuffix(member), self.inputs) + member

    def source(self, reference: str) -> str:
        """A `node.output` under its new name."""
        return _renamed(reference, self.outputs)

    def _migrate(self, id_: str, entry: NodeEntry, place: str) -> NodeEntry:
        steps, version = _steps(entry, self.registry)
        if not steps:
            return entry
        type_, inputs = entry.type, dict(entry.inputs)
        for step in steps:
            inputs = {step.renamed.get(name, name): value for name, value in inputs.items()}
            try:
                inputs = dict(step.inputs(inputs))
            except Exception as error:
                reason = cause_of(error)
                message = f"'{step.node}' cannot be brought from version {step.version} to the next: {reason}"
                raise WorkflowError(
                    [Problem("migration_failed", message, place + id_, entry.title)]
                ) from error
            _note(self.inputs, id_, step.renamed)
            _note(self.outputs, id_, step.outputs)
            type_ = step.becomes or type_
        return entry.model_copy(update={"type": type_, "inputs": inputs, "version": version})

    def _relinked(self, entry: NodeEntry) -> NodeEntry:
        inputs = {name: _with_links(value, self.source) for name, value in entry.inputs.items()}
        return entry if inputs == entry.inputs else entry.model_copy(update={"inputs": inputs})


def _steps(entry: NodeEntry, registry: Registry) -> tuple[list[NodeMigration], int]:
    """The steps that lead a node on, and the version to which they lead.

    Where a node says its version, a missing step ends the way, and the binder reports the version. Where it
    says none, the versions between which nobody wrote a step are taken as one.
    """
    found: list[NodeMigration] = []
    type_id, version = entry.type, entry.version or 1
    while True:
        step = registry.migrations.get((type_id, version))
        type_ = registry.nodes.get(type_id)
        if step is not None:
            found.append(step)
            type_id, version = (step.becomes, 1) if step.becomes else (type_id, version + 1)
        elif entry.version is not None or type_ is None or version >= type_.version:
            return found, version
        else:
            version += 1


def _note(names: dict[tuple[str, str], str], node: str, renamed: Mapping[str, str]) -> None:
    """Keep what a node's inputs or outputs, by their oldest names, are called after one more step."""
    for (other, oldest), now in list(names.items()):
        if other == node and now in renamed:
            names[other, oldest] = renamed[now]
    for old, new in renamed.items():
        names.setdefault((node, old), new)


def _renamed(reference: str, names: Mapping[tuple[str, str], str]) -> str:
    node, port = split_reference(reference)
    new = names.get((node, port)) if port is not None else None
    return f"{node}.{new}" if new is not None else reference


def _with_links(value: Any, source: Callable[[str], str]) -> Any:
    """A value with its links renamed: its own, or those one level inside a list or an object."""
    reference = link_of(value)
    if reference is not None:
        return {"from": source(reference)}
    if isinstance(value, list):
        return [_with_links(item, source) if link_of(item) is not None else item for item in value]
    if isinstance(value, Mapping) and value.keys() != {"value"}:
        items = value.items()
        return {
            name: _with_links(item, source) if link_of(item) is not None else item for name, item in items
        }
    return value


def _with_sources(outputs: Mapping[str, Any], scope: _Scope) -> dict[str, Any]:
    return {
        name: entry.model_copy(update={"source": scope.source(entry.source)})
        for name, entry in outputs.items()
    }
