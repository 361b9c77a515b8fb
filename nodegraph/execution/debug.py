"""Debug mode: proof that no node changes what it was given, and the name of the one that does.

Every input of a node (literals too) is digested before and after it, contents and all, and every result when
it is made and when it is read. While it watches, nodes run one at a time (async ones apart), so that a change
has one culprit. Objects other than values of edges, lists, tuples, mappings and pydantic models cannot be
looked into.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from nodegraph.codecs import JSON_LEAVES, TensorStore, is_tensor
from nodegraph.declare import NodeType
from nodegraph.errors import NodegraphError
from nodegraph.execution.plan import PlanEntry
from nodegraph.graph.binding import BoundNode

Outputs = Mapping[str, Any]
Origin = tuple[str, str]  # key and output
Origins = Mapping[str, tuple[Origin, Any]]
"""Where inputs come from, by the input's name: the result, and its value before it is converted."""
NameOutputs = Callable[[NodeType, Any], Outputs]


class MutationError(NodegraphError):
    """A value that others share was changed in place."""

    code = "mutated"


class Watch:
    """Digests of all results of an engine by key and output. Thread-safe. `forget` drops a spoilt key."""

    def __init__(self, tensors: Callable[[], TensorStore], forget: Callable[[str], None]) -> None:
        self._tensors = tensors
        self._forget = forget
        self._turn = threading.Lock()
        self._made: dict[Origin, str] = {}
        self._culprits: dict[Origin, str] = {}

    def run(
        self, entry: PlanEntry, given: Mapping[str, Any], origins: Origins, outputs: NameOutputs
    ) -> Outputs:
        """Run a node in this thread, between `before` and `after`; `outputs` names what it returns."""
        node = entry.node
        with self._turn:
            digests = self.before(node, given, origins)
            made = outputs(node.type, node.type.function(**given))
            self.after(node, given, origins, digests)
            self._note(entry.key, made)
        return made

    async def run_async(
        self, entry: PlanEntry, given: Mapping[str, Any], origins: Origins, outputs: NameOutputs
    ) -> Outputs:
        """As `run`; others may run while the node waits."""
        node = entry.node
        digests = self.before(node, given, origins)
        made = outputs(node.type, await node.type.function(**given))
        self.after(node, given, origins, digests)
        self._note(entry.key, made)
        return made

    def before(self, node: BoundNode, given: Mapping[str, Any], origins: Origins) -> dict[str, str]:
        """The digest of every input. MutationError if one is not what its maker made."""
        digests = {name: self._digest(given[name]) for name in node.type.inputs if name in given}
        for name, (origin, value) in origins.items():
            if origin in self._made and self._made[origin] != self._digest(value):
                raise self._spoilt(origin, name)
        return digests

    def after(
        self, node: BoundNode, given: Mapping[str, Any], origins: Origins, before: Mapping[str, str]
    ) -> None:
        """MutationError if the node changed an input; what it changed is forgotten by the cache."""
        changed = [name for name, digest in before.items() if self._digest(given[name]) != digest]
        for name in changed:
            if name in origins:
                origin = origins[name][0]
                self._culprits[origin] = node.id
                self._forget(origin[0])
        if changed:
            raise MutationError(
                "it changed its input in place" if len(changed) == 1
                else f"it changed its inputs {', '.join(changed)} in place",
                input=changed[0],
                remedy="Others share the value: work on a copy (tensor.clone(), replace(value, …)).",
            )  # fmt: skip

    def _note(self, key: str | None, outputs: Outputs) -> None:
        if key is None:
            return
        for name, value in outputs.items():
            self._made[key, name] = self._digest(value)
            self._culprits.pop((key, name), None)

    def verify(self, kept: Mapping[str, Outputs]) -> None:
        """MutationError if results from the cache, by key, are not what was put there."""
        for key, outputs in kept.items():
            for name, value in outputs.items():
                digest = self._digest(value)
                if self._made.get((key, name), digest) != digest:
                    raise self._spoilt((key, name))

    def _spoilt(self, origin: Origin, input: str | None = None) -> MutationError:
        culprit = self._culprits.get(origin)
        self._forget(origin[0])
        by = (
            f"by node '{culprit}'" if culprit else "by the node that made it, or by whoever got it from a run"
        )
        return MutationError(
            f"a result that is shared (output '{origin[1]}') was changed after it was made, {by}",
            input=input,
            remedy="It is forgotten; the next run makes it again.",
        )

    def _digest(self, value: object) -> str:
        return digest_of(value, self._tensors)


def digest_of(value: object, tensors: Callable[[], TensorStore]) -> str:
    """A digest of everything inside a value; of an object that cannot be looked into, of its class alone."""
    digest = hashlib.blake2b(digest_size=20)
    stack = [value]
    while stack:
        item = stack.pop()
        digest.update(f"{type(item).__qualname__};".encode())
        if isinstance(item, JSON_LEAVES):
            parts: list[object] = []
            text = repr(item)
        elif is_tensor(item):
            parts, text = [], tensors().digest(item)
        else:
            parts = _parts(item)
            text = str(len(parts))
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
        stack.extend(parts)
    return digest.hexdigest()


def _parts(value: object) -> list[object]:
    if isinstance(value, BaseModel):
        return [part for pair in value for part in pair]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return []
