"""Whoever waits for the end of a job is told of it, whenever it comes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nodegraph.jobs.database import Database
from nodegraph.jobs.records import Job, NewJob
from nodegraph.jobs.store import JobStore
from nodegraph.server.dispatch import Dispatcher
from nodegraph.server.settings import ServerSettings
from nodegraph.server.state import Services


class Late(JobStore):
    """A store whose answers arrive after the job that they tell of was cancelled."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        super().__init__(database)
        self.dispatcher = dispatcher
        self.late = False

    async def get(self, id_: str) -> Job | None:
        found = await super().get(id_)
        if found is not None and not self.late:
            self.late = True
            await self.dispatcher.cancel(found)
        return found


def test_an_end_between_looking_and_waiting_is_not_missed(tmp_path: Path) -> None:
    async def scenario() -> None:
        services = Services.make(ServerSettings(data_dir=tmp_path, workers=()))
        services.database.open()
        services.hub.start()
        dispatcher = services.dispatcher
        await dispatcher.start()
        for store in (services.store, Late(services.database, dispatcher)):
            ((job, _),) = await services.store.submit([NewJob(user="u", document=b"{}")])
            dispatcher.store = store
            waiting = [asyncio.create_task(dispatcher.wait(job.id, 3600)) for _ in range(3)]
            if store is services.store:
                await asyncio.sleep(0)
                await dispatcher.cancel(job)
            async with asyncio.timeout(30):
                await asyncio.gather(*waiting)
            await dispatcher.wait(job.id, 3600)  # it is over
            await dispatcher.wait("nobody", 3600)
            assert not dispatcher._over  # nothing is remembered of jobs that are over
        await dispatcher.stop(0)
        services.database.close()

    asyncio.run(scenario())
