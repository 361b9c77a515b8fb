"""What the handlers of one server share."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from nodegraph.jobs.database import Database
from nodegraph.jobs.store import JobStore
from nodegraph.jobs.uploads import UploadStore
from nodegraph.jobs.workflows import WorkflowStore
from nodegraph.server.dispatch import Dispatcher
from nodegraph.server.hub import Hub
from nodegraph.server.planning import Planner
from nodegraph.server.progress import ProgressBoard
from nodegraph.server.settings import ServerSettings
from nodegraph.server.tokens import Tokens
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

    @classmethod
    def make(cls, settings: ServerSettings) -> Services:
        """All parts, none of them started. DatabaseError: the job database cannot be used."""
        database = Database(settings.data_dir / "jobs.sqlite")
        store = JobStore(database)
        workers = [
            WorkerSettings(
                data_dir=str(settings.data_dir), device=device, dtype=settings.dtype,
                accelerate=settings.accelerate, packs=settings.packs,
            )
            for device in settings.workers
        ]  # fmt: skip
        limits = Limits(grace=settings.grace, silence=settings.silence, memory=settings.memory)
        hub = Hub(store.add_events)
        pool = Pool(workers, limits)
        progress = ProgressBoard()
        dispatcher = Dispatcher(store, pool, hub, progress, retries=settings.retries)
        pool.listen(dispatcher.wake)
        planner = Planner(settings.data_dir, pool)
        tokens = Tokens(settings.data_dir)
        return cls(
            settings, tokens, database, store, pool, hub, dispatcher, planner, progress,
            WorkflowStore(database), UploadStore(database),
        )  # fmt: skip

    async def start(self) -> None:
        """Begin: the database first, since nothing is accepted without it."""
        self.database.open()
        self.hub.start()
        await self.dispatcher.start()
        self.pool.start()
        self.planner.start()

    async def stop(self) -> None:
        """End, with what runs put back where it does not finish in time."""
        await self.dispatcher.stop(self.settings.grace)
        await self.planner.stop()
        self.database.close()


SERVICES = web.AppKey("services", Services)
DESCRIPTION = web.AppKey("description", bytes)
"""The OpenAPI document, as it is sent."""


def services_of(request: web.Request) -> Services:
    """The services of the server that got the request."""
    return request.app[SERVICES]
