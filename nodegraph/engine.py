"""The engine: packs, files, cache and devices in one object. Two engines do not see each other."""

from __future__ import annotations

import asyncio
import copy
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs

from nodegraph.errors import InputError, Problem, WorkflowError
from nodegraph.execution import events
from nodegraph.execution.cache import Kept, MemoryCache
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.collector import Hold
from nodegraph.execution.context import Surroundings
from nodegraph.execution.debug import Watch
from nodegraph.execution.disk import DiskCache
from nodegraph.execution.earlier import EarlierRuns
from nodegraph.execution.executor import Executor, RunState
from nodegraph.execution.files import write_whole
from nodegraph.execution.guard import Guard
from nodegraph.execution.inflight import Flights
from nodegraph.execution.lanes import Lanes
from nodegraph.execution.late import LateModels
from nodegraph.execution.nested import NestedRuns
from nodegraph.execution.outputs import check_outputs
from nodegraph.execution.places import contents, file_index
from nodegraph.execution.plan import (
    Plan,
    Snapshot,
    computes_with_weights,
    content_digest,
    effects_of,
    files_of,
    plan,
    resolve_targets,
)
from nodegraph.execution.results import RunResult, result_of
from nodegraph.execution.saved import SavedFiles
from nodegraph.execution.shortage import Relief
from nodegraph.execution.tiers import Tiers
from nodegraph.graph.binding import BoundGraph, bind, problems_of
from nodegraph.graph.document import Document
from nodegraph.graph.inputs import apply_inputs, current_values, draw_seed, input_specs, resolve_seeds
from nodegraph.graph.migrate import migrate_nodes
from nodegraph.graph.notes import notes_of
from nodegraph.graph.requires import RecordedFiles, relocate, with_models
from nodegraph.graph.sources import open_document
from nodegraph.graph.sweep import Axis, Mode, cells, drawn
from nodegraph.hookspecs import Exporter, Resources, ResourceSettings
from nodegraph.packs import Packs, load_packs
from nodegraph.runtime import Keyed, RunRecord, accelerations

Source = BoundGraph | Document | Path | str | bytes | Mapping[str, Any]
DISK_CACHE_BYTES = 4 * 2**30


def default_data_dir() -> Path:
    """Where models, caches and results are kept when no other place is named."""
    return Path(platformdirs.user_data_dir("nodegraph", appauthor=False))


class Engine:
    """Runs workflows in this process.

    data_dir holds `models/`, `inputs/` and `outputs/` and what is remembered between runs; device is
    "auto", "cpu" or "cuda:0"; dtype "auto", "float32", "float16" or "bfloat16"; cache_bytes bounds the
    results kept in memory, disk_cache_bytes those in `data_dir/cache` (0 switches it off) and model_bytes the
    weights; accelerate is "off" or some of "compile", "graphs" and "channels-last" with commas between them
    (`docs/memory.md`). With debug every node is checked for changing its inputs; the disk cache is off then.
    Without allow_paths no name leads to a file outside the folders of its kind.
    """

    def __init__(
        self,
        data_dir: Path | str | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        cache_bytes: int = 2 * 2**30,
        disk_cache_bytes: int = DISK_CACHE_BYTES,
        model_bytes: int | None = None,
        outputs: Path | str | None = None,
        packs: Packs | None = None,
        debug: bool = False,
        accelerate: str = "off",
        allow_paths: bool = True,
    ) -> None:
        faster = accelerations(accelerate)  # refused now rather than when a model is first loaded
        self.data_dir = Path(data_dir) if data_dir is not None else default_data_dir()
        self.outputs = Path(outputs) if outputs is not None else self.data_dir / "outputs"
        self.packs = packs if packs is not None else load_packs()
        self.registry = self.packs.registry
        self.files = file_index(self.data_dir, self.outputs, self.registry, allow_paths=allow_paths)
        self.cache = MemoryCache(cache_bytes)
        # A debug run trusts nothing that lies on disk, and leaves nothing there that a node may have spoilt.
        self.disk = self._disk_cache(disk_cache_bytes) if disk_cache_bytes > 0 and not debug else None
        self._watch = Watch(lambda: self.resources.tensors, self.cache.discard) if debug else None
        self._tiers = Tiers(self.cache, self.disk)
        self._flights = Flights()
        self.saved = SavedFiles(self.data_dir / "saved_files.jsonl")
        self._settings = ResourceSettings(
            device, dtype, model_bytes, self.data_dir, self.registry.families, ",".join(faster) or "off"
        )
        self._resources: Resources | None = None
        self._origin: Engine | None = None
        self._making_resources = threading.Lock()
        self._lanes = Lanes()
        self._closed = False
        self._digested: tuple[Document | None, str] = None, ""
        self._earlier = EarlierRuns(self.data_dir / "cache" / "runs" if self.disk is not None else None)

    def _disk_cache(self, limit: int) -> DiskCache:
        return DiskCache(self.data_dir / "cache", limit, self.registry.codecs, lambda: self.resources.tensors)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for running nodes and for what is still to be written, and end the engine's threads."""
        self._closed = True
        self._lanes.close()
        self._tiers.close()
        self.files.close()

    def within(self, folder: Path) -> Engine:
        """An engine that shares all of this one (caches, weights, threads), but reads pictures from `inputs`
        and `outputs` in the folder and from packs alone, and saves there. It is not to be closed.
        """
        view = copy.copy(self)
        view._origin = self._origin or self
        view.outputs = folder / "outputs"
        brought = self.registry.folders.get("images", ())  # the examples of packs are there for all
        view.files = self.files.with_folders("images", [folder / "inputs", view.outputs, *brought])
        view.saved = SavedFiles(folder / "saved_files.jsonl")
        view._earlier = EarlierRuns(folder / "runs" if self.disk is not None else None)
        return view

    @property
    def resources(self) -> Resources:
        """Devices and models; made, and torch imported, on first use."""
        if self._origin is not None:
            return self._origin.resources
        with self._making_resources:  # nodes of several lanes may be the first at once
            if self._resources is None:
                self._resources = self.packs.make_resources(self._settings, self.files)
            return self._resources

    @property
    def has_resources(self) -> bool:
        """Whether the device and its models were asked for already."""
        return (self._origin or self)._resources is not None

    def load(self, source: Source) -> Document:
        """A document from a file (JSON, or a picture that was saved with its workflow), JSON text or data, or
        a template (`"template:NAME"`). A text that ends in `.json` or `.png`, or holds a `/`, names a file.

        Its nodes are brought to the versions of their types that the packs have now.
        """
        if isinstance(source, BoundGraph):
            return source.document
        if isinstance(source, str) and source.startswith("template:"):
            source = self._template(source.removeprefix("template:"))
        if isinstance(source, Document):
            return migrate_nodes(source, self.registry)
        return open_document(source, self.registry, self.files)

    def _template(self, name: str) -> Path:
        templates = self.registry.templates
        if name not in templates:
            raise InputError(
                f"there is no template '{name}'", code="unknown_template",
                remedy="There is: " + ", ".join(sorted(templates)) + ".",
            )  # fmt: skip
        return templates[name]

    def check(self, source: Source, **inputs: Any) -> list[Problem]:
        """Every problem of a workflow; empty if it can run."""
        try:
            self.bind(source, **inputs)
        except WorkflowError as error:
            return list(error.problems)
        return []

    def bind(self, source: Source, **inputs: Any) -> BoundGraph:
        """The checked graph of a workflow with its named inputs set and its seeds drawn.

        WorkflowError lists every problem. A bound graph can be planned and run as it is.
        """
        if isinstance(source, BoundGraph) and not inputs:
            return source
        with Hold():
            document, notes = relocate(self.load(source), self.registry, self.files)
            files = RecordedFiles(self.files, document)
            problems: Sequence[Problem] = ()
            try:
                document = apply_inputs(document, inputs, self.registry, files)
            except WorkflowError as error:
                problems = error.problems
            document = resolve_seeds(document, self.registry, draw_seed)
            if problems:
                raise WorkflowError([*problems, *problems_of(document, self.registry, files)])
            graph = bind(document, self.registry, files)
            return replace(graph, notes=(*notes, *notes_of(graph, self.files.find)))

    def with_hashes(self, source: Source) -> Document:
        """The document as it should be saved: with the content of the model files that it names, hashed now
        where that is not known, so that others find them under other names. WorkflowError as for `bind`.
        """
        graph = self.bind(source)
        for kind, name in sorted(files_of(graph)):
            self.files.ensure(kind, name)
        return with_models(graph.document, contents(self.files, files_of(graph)))

    def warm_up(self, graph: BoundGraph) -> None:
        """Import what the nodes of a graph compute with, and find the device, before the run needs it."""
        if any(type_.lane != "inline" for type_ in graph.types):
            self.resources.profile()

    def plan(self, source: Source, *, targets: Sequence[str] | None = None, **inputs: Any) -> Plan:
        """What would run, what would be reused, and why. Files are hashed first where needed."""
        graph = self.bind(source, **inputs)
        return self._plan(graph, resolve_targets(graph, targets), events.discard, CancelToken())

    async def run(
        self,
        source: Source,
        *,
        targets: Sequence[str] | None = None,
        on_event: events.Emit = events.discard,
        previews: bool = False,
        cancel: CancelToken | None = None,
        **inputs: Any,
    ) -> RunResult:
        """Run a workflow as a function of its named inputs.

        With previews, nodes that work in steps draw their unfinished results as `NodePreview` events.
        Raises WorkflowError before anything runs when the workflow cannot be run, RunFailedError when
        nodes failed (others have finished), CancelledError when it was cancelled.
        """
        if self._closed:
            raise InputError("the engine is closed", code="closed", remedy="Run inside its `with` block.")
        cancel = cancel or CancelToken()
        loop = asyncio.get_running_loop()

        def post(event: events.Event) -> None:
            loop.call_soon_threadsafe(on_event, event)

        with Hold() as hold:
            try:
                graph, planned, reused = await asyncio.to_thread(
                    self._prepare, source, inputs, targets, post, cancel, hold
                )
            except asyncio.CancelledError:
                cancel.cancel()  # the thread stops hashing
                raise
            record = self._record(graph, planned)
            around = self._surroundings(graph, record, cancel, previews)
            executor = self._executor(planned, reused, around, on_event)
            if not graph.is_trivial:
                hold.end()
            state = await executor.run()
            await self._tiers.written()
            self._earlier.put(planned, state.finished, write=self._tiers.writable)
            return result_of(graph, planned, record, state)

    def _surroundings(
        self, graph: BoundGraph, record: RunRecord, cancel: CancelToken, previews: bool
    ) -> Surroundings:
        around = Surroundings(
            self.registry, self.files, LateModels(lambda: self.resources.models),
            Guard(lambda: self.resources), Relief(lambda: self.resources, self.cache), self.outputs,
            record, cancel,
            NestedRuns(
                graph.bodies,
                lambda body, given, emit, cancel: self._run_body(
                    body, given, emit, replace(around, cancel=cancel)
                ),
            ),
            self._watch, previews,
        )  # fmt: skip
        return around

    async def sweep(
        self,
        source: Source,
        axes: Sequence[Axis],
        *,
        mode: Mode = "grid",
        targets: Sequence[str] | None = None,
        on_event: events.Emit = events.discard,
        previews: bool = False,
        on_cell: Callable[[int, int, Mapping[str, Any]], None] = lambda *_cell: None,
        cancel: CancelToken | None = None,
        **inputs: Any,
    ) -> list[tuple[Mapping[str, Any], RunResult]]:
        """Run a workflow once for every cell of its axes; what cells share is computed once.

        on_cell(index, count, inputs) is called before each run. The cells with their results come in order.
        Raises as `run` does, at the first cell that fails.
        """
        document = self.bind(source, **inputs).document
        spanned = cells(drawn(axes, input_specs(document, self.registry), draw_seed), mode)
        done: list[tuple[Mapping[str, Any], RunResult]] = []
        for index, cell in enumerate(spanned):
            on_cell(index, len(spanned), cell)
            result = await self.run(
                document, targets=targets, on_event=on_event, previews=previews, cancel=cancel, **cell
            )
            done.append((cell, result))
        return done

    def contact_sheet(self, values: Sequence[object], labels: Sequence[str], columns: int) -> object:
        """One value that shows all of these with their labels. InputError where no pack can show them."""
        sheet = self.packs.manager.hook.make_contact_sheet(values=values, labels=labels, columns=columns)
        if sheet is None:
            raise InputError("these results cannot be shown on a contact sheet", code="cannot_export")
        return sheet

    async def _run_body(
        self, graph: BoundGraph, given: Mapping[str, Keyed], emit: events.Emit, around: Surroundings
    ) -> tuple[RunState, Mapping[str, str]]:
        """Plan and run the graph of a body; what came of it, and the keys of its nodes."""
        targets = list(dict.fromkeys([*(node for node, _ in graph.outputs.values()), *effects_of(graph)]))
        there = {keyed.key: {"value": keyed.value} for keyed in given.values()}
        while True:
            planned = self._plan(graph, targets, emit, around.cancel, given)
            if planned.counts["disk"]:
                reused = await asyncio.to_thread(self._tiers.hold, planned, there)
            else:
                await asyncio.sleep(0)  # a long loop of short iterations lets others have a turn
                reused = self._tiers.hold(planned, there)
            if reused is not None:
                break
        state = await self._executor(planned, reused, around, emit).run()
        return state, {id_: entry.key or "" for id_, entry in planned.entries.items()}

    def _executor(
        self, planned: Plan, reused: Mapping[str, Any], around: Surroundings, emit: events.Emit
    ) -> Executor:
        return Executor(planned, reused, self._lanes, self._tiers, self._flights, self.saved, around, emit)

    def pin(self, key: str) -> bool:
        """Keep the result with this key in memory, whatever else needs room. Whether it is there now.

        `RunResult.key(node)` and `plan.entries[node].key` give keys; one that is not there is kept from when
        it is made. Pinned results count in `cache_bytes`.
        """
        return self.cache.pin(key)

    def unpin(self, key: str) -> None:
        """Let a pinned result go when others need its room."""
        self.cache.unpin(key)

    def explain_cache(self) -> list[Kept]:
        """Everything that is kept: in memory, the most worthy first, then on disk, the last used first."""
        stored = self.disk.entries() if self.disk is not None else []
        return [
            *self.cache.explain(),
            *(Kept(entry.key, entry.node, entry.size, entry.seconds, entry.used, "disk") for entry in stored),
        ]

    def clear_cache(self) -> tuple[int, int]:
        """Forget every kept result and why nodes ran; how many were on disk, and their bytes."""
        self.cache.clear()
        self._earlier.clear()
        return self.disk.clear() if self.disk is not None else (0, 0)

    def run_sync(self, source: Source, **options: Any) -> RunResult:
        """As `run`, for callers without an event loop."""
        return asyncio.run(self.run(source, **options))

    def export(self, value: object, path: Path, record: RunRecord) -> list[Path]:
        """Write a value to a file by its suffix, with the run record inside, whole or not at all.

        A batch of several is written as `name_1.png`, `name_2.png` … Returns the paths.
        """
        exporter = self.registry.exporter(type(value), path)
        parts = exporter.split(value)
        paths = [path]
        if len(parts) > 1:
            paths = [path.with_name(f"{path.stem}_{i}{path.suffix}") for i in range(1, len(parts) + 1)]
        for part, place in zip(parts, paths, strict=True):
            write_whole(place, _writing(exporter, part, record))
        return paths

    def _prepare(
        self,
        source: Source,
        inputs: Mapping[str, Any],
        targets: Sequence[str] | None,
        emit: events.Emit,
        cancel: CancelToken,
        hold: Hold,
    ) -> tuple[BoundGraph, Plan, Mapping[str, Mapping[str, Any]]]:
        """The graph, its plan, and what the plan reuses: in our hands, before the cache can drop it."""
        graph = self.bind(source, **inputs)
        wanted = resolve_targets(graph, targets)
        if files_of(graph):
            with hold.lifted():
                self._hash_files(graph, emit, cancel)
        while True:
            planned = self._plan(graph, wanted, emit, cancel)
            check_outputs(planned, self.outputs)
            self._tiers.notice_unwritable()
            reused = self._tiers.hold(planned)
            if reused is not None:
                if self._watch is not None:
                    self._watch.verify(reused)
                return graph, planned, reused

    def _plan(
        self,
        graph: BoundGraph,
        targets: Sequence[str],
        emit: events.Emit,
        cancel: CancelToken,
        given: Mapping[str, Keyed] | None = None,
    ) -> Plan:
        self._hash_files(graph, emit, cancel)
        weights = computes_with_weights(graph)
        snapshot = Snapshot(
            file_hashes=self.files.snapshot(files_of(graph)),
            cached=self.cache.keys(),
            stored=self.disk if self.disk is not None else (),
            saved=self.saved,
            profile=self.resources.profile() if weights else "",
            nonce=secrets.token_hex(8),
            earlier=self._earlier.get(graph.document.name),
            document=self._document_digest(graph),
            given={id_: keyed.key for id_, keyed in (given or {}).items()},
            fleeting=frozenset(id_ for id_, keyed in (given or {}).items() if not keyed.lasting),
            choice_code=self.registry.choice_code,
        )
        with Hold():
            return plan(graph, targets, snapshot)

    def _hash_files(self, graph: BoundGraph, emit: events.Emit, cancel: CancelToken) -> None:
        for kind, name in sorted(files_of(graph)):
            self.files.ensure(kind, name, _hash_progress(name, emit, cancel))

    def _document_digest(self, graph: BoundGraph) -> str:
        """The digest of what save nodes store, taken once for a document; nothing else asks for it."""
        if not effects_of(graph):
            return ""
        known, known_digest = self._digested
        if known is not graph.document:
            known_digest = content_digest(graph.document)
            self._digested = graph.document, known_digest
        return known_digest

    def _record(self, graph: BoundGraph, planned: Plan) -> RunRecord:
        from nodegraph import __version__

        weights = computes_with_weights(graph)
        hashes = {name: self.files.known(kind, name) or "" for kind, name in sorted(files_of(graph))}
        run: dict[str, Any] = {
            "nodegraph": __version__,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "profile": self.resources.profile() if weights else "",
            "packs": {pack.name: pack.version for pack in self.packs.loaded},
            "files": hashes,
            "targets": list(planned.targets),
        }
        if weights and self._settings.accelerate != "off":
            run["accelerate"] = self._settings.accelerate
        if graph.notes:
            run["notes"] = list(graph.notes)
        document = with_models(graph.document, contents(self.files, files_of(graph)))
        return RunRecord(document.to_json, current_values(document, self.registry), run)


def _hash_progress(name: str, emit: events.Emit, cancel: CancelToken) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        cancel.check()
        emit(events.FileHashed(name, done, total))

    return report


def _writing(exporter: Exporter, part: object, record: RunRecord) -> Callable[[Path], None]:
    return lambda path: exporter.write(part, path, record)
