"""What the handlers of one server share."""

from __future__ import annotations

import asyncio
import os
import weakref
from dataclasses import dataclass, field

from aiohttp import WSCloseCode, web

from nodegraph.jobs.database import Database
from nodegraph.jobs.store import JobStore
from nodegraph.jobs.uploads import UploadStore
from nodegraph.jobs.workflows import WorkflowStore
from nodegraph.server.dispatch import Dispatcher
from nodegraph.server.hub import Hub
from nodegraph.server.metrics import Counts
from nodegraph.server.planning import Planner
from nodegraph.server.progress import ProgressBoard
from nodegraph.server.retention import Keep, tidy_for_ever
from nodegraph.server.settings import ServerSettings
from nodegraph.server.shown import Shown
from nodegraph.server.tokens import Tokens
from nodegraph.server.webhooks import Webhooks
from nodegraph.workers.pool import Limits, Pool
from nodegraph.workers.settings import WorkerSettings


@dataclass
class Services:
    """The parts of a server, made and started in order."""

    settings: ServerSettings
    tokens: Tokens
    database: Database
    store: JobStore
    pool: Pool
    hub: Hub
    dispatcher: Dispatcher
    planner: Planner
    progress: ProgressBoard
    workflows: WorkflowStore
    uploads: UploadStore
    webhooks: Webhooks
    counts: Counts
    sockets: weakref.WeakSet[web.WebSocketResponse] = field(default_factory=weakref.WeakSet)
    tidying: asyncio.Task[None] | None = None
    examining: asyncio.Task[None] | None = None

    @classmethod
    def make(cls, settings: ServerSettings) -> Services:
        """All parts, none of them started. DatabaseError: the job database cannot be used."""
        database = Database(settings.data_dir / "jobs.sqlite")
        store = JobStore(database)
        limits = Limits(grace=settings.grace, silence=settings.silence, memory=settings.memory)
        hub, progress, counts, webhooks = Hub(store.add_events), ProgressBoard(), Counts(), Webhooks(store)
        pool = Pool(_workers(settings), limits)
        shown = Shown(settings.data_dir / "files")
        dispatcher = Dispatcher(
            store, pool, hub, progress, counts, shown, webhooks.wake, retries=settings.retries
        )
        pool.listen(dispatcher.wake)
        return cls(
            settings, Tokens(settings.data_dir), database, store, pool, hub, dispatcher,
            Planner(settings.data_dir, pool), progress, WorkflowStore(database), UploadStore(database),
            webhooks, counts,
        )  # fmt: skip

    async def start(self) -> None:
        """Begin: the database first, since nothing is accepted without it."""
        self.database.open()
        self.examining = asyncio.create_task(asyncio.to_thread(self.database.examine))
        self.hub.start()
        await self.dispatcher.start()
        self.pool.start()
        self.planner.start()
        self.webhooks.start()
        keep = Keep(jobs=self.settings.keep_jobs, days=self.settings.keep_days)
        work = tidy_for_ever(self.store, self.settings.data_dir / "files", keep)
        self.tidying = asyncio.create_task(work, name="tidying")

    async def hang_up(self) -> None:
        """Tell clients that follow to come back later."""
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server stops")

    async def stop(self) -> None:
        """End, with what runs put back where it does not finish in time."""
        await self.dispatcher.stop(self.settings.grace)
        if self.tidying is not None:
            self.tidying.cancel()
        await self.webhooks.stop()
        await self.planner.stop()
        if self.examining is not None:
            await self.examining
        self.database.close()


def _workers(settings: ServerSettings) -> list[WorkerSettings]:
    on_cpu = settings.workers.count("cpu")
    share = max(1, (os.cpu_count() or 1) // on_cpu) if on_cpu > 1 else None  # or they fight for the cores
    return [
        WorkerSettings(
            data_dir=str(settings.data_dir), device=device, dtype=settings.dtype,
            accelerate=settings.accelerate, packs=settings.packs,
            threads=share if device == "cpu" else None,
        )
        for device in settings.workers
    ]  # fmt: skip


SERVICES = web.AppKey("services", Services)
DESCRIPTION = web.AppKey("description", bytes)
"""The OpenAPI document, as it is sent."""


def services_of(request: web.Request) -> Services:
    """The services of the server that got the request."""
    return request.app[SERVICES]
