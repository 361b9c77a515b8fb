"""The `Context` that the executor hands to a node."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodegraph.codecs import JSON_LEAVES
from nodegraph.errors import DeclarationError
from nodegraph.execution import events
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.debug import Watch
from nodegraph.execution.files import write_numbered
from nodegraph.execution.guard import Guard
from nodegraph.execution.keys import digest
from nodegraph.execution.nested import NestedRuns, value_key
from nodegraph.execution.overlap import overlapping
from nodegraph.execution.plan import PlanEntry
from nodegraph.execution.shortage import Relief
from nodegraph.registry import Registry
from nodegraph.runtime import Artifact, BodyOf, Files, Keyed, ModelStore, RunRecord, TellsWays
from nodegraph.values import Image, JsonScalar

MAX_PREVIEWS = 50
"""Of one node in one run: more than anybody looks at, and few enough to be kept and sent."""


@dataclass(frozen=True)
class Surroundings:
    """What the nodes of one run share."""

    registry: Registry
    files: Files
    models: ModelStore
    guard: Guard
    relief: Relief
    outputs: Path
    record: RunRecord
    cancel: CancelToken
    nested: NestedRuns | None = None
    watch: Watch | None = None
    """Set in debug mode: it proves that no node changes what it was given."""
    previews: bool = False
    """Whether nodes draw their unfinished results."""


class NodeContext:
    """One node's view of the run. Its methods may be called from the node's own thread."""

    def __init__(self, entry: PlanEntry, surroundings: Surroundings, emit: events.Emit) -> None:
        self._node = entry.node.id
        self._parts = entry.parts
        self.mentioned: Sequence[tuple[str, str]] = entry.node.mentioned
        self._lasting = entry.lasting
        self._values: Mapping[str, Any] = {}
        self._around = surroundings
        self._emit = emit
        self._models = WatchedStore(surroundings.models, self._went)
        self._artifacts: list[Artifact] = []
        self.shown = False
        self.tight = False
        """Whether a node in a body that this one ran had an effect that left no file."""

    @property
    def node(self) -> str:
        return self._node

    @property
    def models(self) -> ModelStore:
        return self._models

    @property
    def files(self) -> Files:
        return self._around.files

    @property
    def log(self) -> logging.Logger:
        return logging.getLogger(f"nodegraph.node.{self._node}")

    @property
    def record(self) -> RunRecord:
        return self._around.record

    @property
    def artifacts(self) -> list[Artifact]:
        """What the node has saved so far."""
        return self._artifacts

    def _went(self, ways: Mapping[str, int]) -> None:
        """Note how the steps of a denoiser ran, in the run record and in the log."""
        self._around.record.add_steps(self._node, ways)
        self.log.info("steps: %s", ", ".join(f"{count} {way}" for way, count in ways.items()))

    @property
    def loading(self) -> float:
        """Seconds that the node has waited for weights so far."""
        return self._models.seconds

    def steps(self, count: int) -> Iterator[int]:
        for index in range(count):
            self.check_cancelled()
            yield index
            self.progress(index + 1, count)

    @property
    def watched(self) -> bool:
        return self._around.previews

    def progress(self, done: int, total: int, preview: Callable[[], Image] | None = None) -> None:
        self._emit(events.NodeProgress(self._node, done, total))
        self.check_cancelled()
        if preview is not None and self.watched and is_drawn(done, total):
            self._emit(events.NodePreview(self._node, preview()))

    def show(self, image: Image) -> None:
        self._emit(events.NodeShown(self._node, image))

    def check_cancelled(self) -> None:
        self._around.cancel.check()

    def given(self, values: Mapping[str, Any]) -> None:
        """Take note of what the node is given."""
        self._values = dict(values)

    def keyed(self, input: str) -> Keyed:
        return self._keyed(self._values[input], self._parts.get(input))

    def items(self, input: str) -> list[Keyed]:
        part = self._parts.get(input)
        return [self._keyed(item, [part, index]) for index, item in enumerate(self._values[input])]

    def literal(self, value: JsonScalar) -> Keyed:
        return Keyed(value, value_key(value))

    def _keyed(self, value: Any, origin: Any) -> Keyed:
        """Plain values are known by what they are, others by where they come from."""
        if isinstance(value, JSON_LEAVES):
            return Keyed(value, value_key(value))
        return Keyed(value, digest(["from", origin]), self._lasting)

    async def run(self, body: BodyOf[Any], inputs: Mapping[str, Keyed], step: str) -> Mapping[str, Keyed]:
        outputs, artifacts = await self._run(body, inputs, step, self._around.cancel)
        self._artifacts.extend(artifacts)
        return outputs

    async def run_each(
        self, body: BodyOf[Any], inputs: Sequence[Mapping[str, Keyed]]
    ) -> list[Mapping[str, Keyed]]:
        made: dict[int, tuple[Mapping[str, Keyed], Sequence[Artifact]]] = {}
        with self._around.cancel.child() as cancel:

            async def run_one(index: int) -> None:
                made[index] = await self._run(body, inputs[index], str(index), cancel)
                self.progress(len(made), len(inputs))

            await overlapping(len(inputs), self._nested.width(str(body)), run_one)
        in_order = [made[index] for index in range(len(inputs))]
        self._artifacts.extend(artifact for _, artifacts in in_order for artifact in artifacts)
        return [outputs for outputs, _ in in_order]

    async def _run(
        self, body: BodyOf[Any], inputs: Mapping[str, Keyed], step: str, cancel: CancelToken
    ) -> tuple[Mapping[str, Keyed], Sequence[Artifact]]:
        self.check_cancelled()
        path = f"{self._node}/{step}"
        outputs, state = await self._nested.run(str(body), inputs, path, self._emit, cancel)
        self.shown |= state.shown
        if not self._lasting:
            outputs = {name: replace(keyed, lasting=False) for name, keyed in outputs.items()}
        return outputs, state.artifacts

    @property
    def _nested(self) -> NestedRuns:
        if self._around.nested is None:
            raise DeclarationError("this run cannot run subgraphs")
        return self._around.nested

    def choice(self, registry: str, name: str) -> Any:
        return self._around.registry.choice(registry, name)

    def save(self, prefix: str, suffix: str, media_type: str, write: Callable[[Path], None]) -> Artifact:
        self.check_cancelled()
        path = write_numbered(self._around.outputs, prefix, suffix, write)
        artifact = Artifact(path, media_type, path.stat().st_size)
        self._artifacts.append(artifact)
        self._emit(events.NodeSaved(self._node, artifact))
        return artifact


def is_drawn(done: int, total: int) -> bool:
    """Whether step `done` of `total` gets a preview: at most MAX_PREVIEWS do, the last among them."""
    return done == total or done % math.ceil(total / MAX_PREVIEWS) == 0


class WatchedStore:
    """A model store that counts the seconds until weights are there, and tells how denoisers' steps ran.

    went: told the steps by their way after each use of a denoiser that tells it.
    """

    def __init__(self, store: ModelStore, went: Callable[[Mapping[str, int]], None]) -> None:
        self._store = store
        self._went = went
        self.seconds = 0.0

    def use(self, recipe: Any) -> Any:
        """As the store's own `use`."""
        return self._watched(recipe)

    def inspect(self, file: Any) -> Any:
        """As the store's own `inspect`."""
        return self._store.inspect(file)

    def previewer(self, model: Any) -> Any:
        """As the store's own `previewer`."""
        start = time.perf_counter()
        found = self._store.previewer(model)
        self.seconds += time.perf_counter() - start
        return found

    def counters(self) -> Any:
        """As the store's own `counters`."""
        return self._store.counters()

    @contextmanager
    def _watched(self, recipe: Any) -> Iterator[Any]:
        start = time.perf_counter()
        with self._store.use(recipe) as live:
            self.seconds += time.perf_counter() - start
            before = Counter(_ways(live))
            try:
                yield live
            finally:
                went = Counter(_ways(live)) - before
                if went:
                    self._went(went)


def _ways(live: object) -> Mapping[str, int]:
    return live.ways() if isinstance(live, TellsWays) else {}
