"""What a workflow means, without running it: problems, plan and catalogue.

The server's own engine knows the built-in nodes alone and never runs anything, so it answers while workers
still warm up. What it does not know (nodes of other packs, what workers hold in memory) it asks of a worker.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from nodegraph.engine import Engine
from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.inputs import current_values, input_specs
from nodegraph.graph.loading import load_document
from nodegraph.modelfiles.describing import describe
from nodegraph.modelfiles.index import IndexedFile
from nodegraph.modelfiles.kinds import MODEL_KINDS, belongs
from nodegraph.packs import load_packs
from nodegraph.server.templates import picture_of, template_of
from nodegraph.server.tokens import OWNER, folder_of
from nodegraph.wire.jobs import RunOptions
from nodegraph.wire.workflows import InterfaceView, TemplateItem
from nodegraph.workers.answering import check_of, plan_of, vocabulary
from nodegraph.workers.pool import Pool, Refused

REMEMBERED = 512
FRESH = 30.0
"""Seconds for which a workflow that had no problems is taken to have none: files may vanish."""
_NOT_THE_WORKFLOWS = frozenset({"no_worker", "worker_died"})


class Planner:
    """Checks and plans for all users. What is sound is remembered for a while."""

    def __init__(self, data_dir: Path, pool: Pool) -> None:
        self._data_dir = data_dir
        self._pool = pool
        self._engine: asyncio.Task[Engine] | None = None
        self._views: dict[str, Engine] = {}
        self._sound: OrderedDict[bytes, float] = OrderedDict()

    def start(self) -> None:
        """Begin to load the built-in nodes, in a thread."""
        self._engine = asyncio.create_task(asyncio.to_thread(self._make), name="planner")

    async def stop(self) -> None:
        """Let go of what is open."""
        if self._engine is not None:
            (await self._engine).close()

    async def engine(self, user: str = OWNER) -> Engine:
        """The engine that knows built-in nodes and runs nothing, as the user sees it."""
        if self._engine is None:
            raise RuntimeError("the planner has not been started")
        engine = await asyncio.shield(self._engine)
        if user != OWNER and user not in self._views:
            self._views[user] = engine.within(self._data_dir / folder_of(user))
        return self._views.get(user, engine)

    async def check(
        self, user: str, workflow: bytes, inputs: Mapping[str, Any], targets: Sequence[str] | None = None
    ) -> list[Problem]:
        """All problems of a user's workflow (JSON) with these inputs.

        Nodes of other packs are a worker's to judge; while none is ready, they are judged when they run.
        """
        digest = hashlib.blake2b(msgspec.json.encode([user, workflow, inputs, targets])).digest()
        if self._is_fresh(digest):
            return []
        engine = await self.engine(user)
        found = await asyncio.to_thread(check_of, engine, workflow, inputs, targets)
        if any(problem.code == "unknown_type" for problem in found):
            found = await self._checked_by_worker(user, workflow, inputs, targets)
        if not found:
            self._remember(digest)
        return found

    async def plan(
        self, user: str, workflow: bytes, inputs: Mapping[str, Any], targets: Sequence[str] | None
    ) -> dict[str, Any]:
        """Problems, or what would happen to every node and why: by a worker's cache if one is ready."""
        asked = {"workflow": msgspec.json.decode(workflow), "inputs": inputs, "targets": targets}
        worker = self._pool.any()
        if worker is not None:
            try:
                told: dict[str, Any] = await worker.ask("plan", asked, folder_of(user))
            except Refused as refused:
                if not any(one.get("code") in _NOT_THE_WORKFLOWS for one in refused.problems):
                    return {"problems": refused.problems}
            else:
                return told
        engine = await self.engine(user)
        return await asyncio.to_thread(plan_of, engine, workflow, inputs, targets)

    async def catalogue(self) -> list[dict[str, Any]]:
        """Every node type: of all packs where a worker is ready, built-in ones until then."""
        worker = self._pool.any()
        if worker is not None:
            try:
                told: list[dict[str, Any]] = await worker.ask("catalogue")
            except Refused:
                pass
            else:
                return told
        engine = await self.engine()
        return [type_.to_json() for type_ in engine.registry.nodes.values()]

    async def vocabulary(self, user: str) -> dict[str, Any]:
        """The names that inputs may be given, as the user may use them."""
        worker = self._pool.any()
        if worker is not None:
            try:
                told: dict[str, Any] = await worker.ask("vocabulary", folder=folder_of(user))
            except Refused:
                pass
            else:
                return told
        return await asyncio.to_thread(vocabulary, await self.engine(user), None)

    async def text_of(self, source: str) -> bytes:
        """The document that a template's name stands for, as JSON. InputError: there is none."""
        engine = await self.engine()
        return (await asyncio.to_thread(engine.load, source)).to_text().encode()

    async def canonical(self, document: Mapping[str, Any]) -> bytes:
        """The one text of a document, nodes of other packs and unknown fields kept.

        WorkflowError: its structure is broken. One that cannot be run is fine.
        """
        return await asyncio.to_thread(lambda: load_document(document).to_text().encode())

    async def document_in(self, picture: Path) -> bytes:
        """The document inside a saved picture. WorkflowError: there is none."""
        engine = await self.engine()
        return (await asyncio.to_thread(engine.load, picture)).to_text().encode()

    async def models(self, kind: str | None) -> list[IndexedFile]:
        """The model files of a kind (None: of all) as the last scan saw them; one is made now."""
        engine = await self.engine()

        def entries() -> list[IndexedFile]:
            engine.files.refresh()
            kinds = [kind] if kind is not None else list(MODEL_KINDS)
            return [entry for one in kinds for entry in engine.files.entries(one)]

        return await asyncio.to_thread(entries)

    async def families(self, files: Sequence[IndexedFile]) -> list[str]:
        """What each model file is, by its header. It is read again when the file has changed."""
        return await asyncio.to_thread(lambda: [_family_of(one.path, _stamp_of(one.path)) for one in files])

    async def picture(self, user: str, name: str) -> Path | None:
        """Where the picture lies that a node of the user would load by this name, if there is one."""
        engine = await self.engine(user)
        return await asyncio.to_thread(engine.files.find, "images", name) if belongs("images", name) else None

    async def templates(self) -> list[TemplateItem]:
        """The templates of built-in packs."""
        engine = await self.engine()

        def told() -> list[TemplateItem]:
            return [template_of(name, path) for name, path in sorted(engine.registry.templates.items())]

        return await asyncio.to_thread(told)

    async def template_picture(self, name: str) -> Path | None:
        """The picture of a template, if its pack ships one beside it."""
        template = (await self.engine()).registry.templates.get(name)
        return picture_of(template) if template is not None else None

    async def interface(self, document: bytes) -> InterfaceView:
        """The named inputs of a document with their schemas and values, and the types of its outputs."""
        engine = await self.engine()
        return await asyncio.to_thread(_interface, engine, document)

    def _make(self) -> Engine:
        return Engine(
            self._data_dir,
            device="cpu",
            cache_bytes=0,
            packs=load_packs(installed="built-in"),
            allow_paths=False,
        )

    async def _checked_by_worker(
        self, user: str, workflow: bytes, inputs: Mapping[str, Any], targets: Sequence[str] | None
    ) -> list[Problem]:
        worker = self._pool.any()
        if worker is None:
            return []
        try:
            asked = {"workflow": msgspec.json.decode(workflow), "inputs": inputs, "targets": targets}
            told = await worker.ask("check", asked, folder_of(user))
        except Refused as refused:
            told = [one for one in refused.problems if one.get("code") not in _NOT_THE_WORKFLOWS]
        return [Problem(**one) for one in told]

    def _is_fresh(self, digest: bytes) -> bool:
        checked = self._sound.get(digest)
        return checked is not None and time.monotonic() - checked < FRESH

    def _remember(self, digest: bytes) -> None:
        self._sound[digest] = time.monotonic()
        self._sound.move_to_end(digest)
        if len(self._sound) > REMEMBERED:
            self._sound.popitem(last=False)


@lru_cache(maxsize=4096)
def _family_of(path: Path, stamp: tuple[int, int]) -> str:  # noqa: ARG001 - another stamp is another file
    return describe(path).family


def _stamp_of(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except OSError:
        return 0, 0  # it went away since
    return told.st_mtime_ns, told.st_size


def _interface(engine: Engine, text: bytes) -> InterfaceView:
    document = engine.load(text)
    values = current_values(document, engine.registry)
    specs = input_specs(document, engine.registry)
    inputs = {
        name: {
            "schema": specs[name].schema if name in specs else {}, "value": values.get(name),
            "help": entry.help,
        }
        for name, entry in document.inputs.items()
    }  # fmt: skip
    try:
        types = engine.bind(document).output_types
    except WorkflowError:  # it cannot run as it stands, and still has inputs
        types = {}
    outputs = {name: types[name].to_json() if name in types else None for name in document.outputs}
    return InterfaceView.model_validate({"inputs": inputs, "outputs": outputs})


async def refuse_problems(planner: Planner, user: str, workflow: bytes, wanted: RunOptions) -> None:
    """WorkflowError where the user's workflow cannot be run as it is wanted."""
    found = await planner.check(user, workflow, wanted.inputs, wanted.targets)
    if found:
        raise WorkflowError(found)
