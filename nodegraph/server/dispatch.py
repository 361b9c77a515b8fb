"""The dispatcher: brings waiting jobs and idle workers together, and sees to it that every job ends once.

A job is durable before `submit` returns. A worker does not wait for the database: starts and ends are
committed while it works on, in order. What a worker that died was running waits again, or is quarantined.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from nodegraph.jobs.queue import Queue
from nodegraph.jobs.records import Job, NewJob, State
from nodegraph.jobs.store import JobStore
from nodegraph.server.hub import Hub
from nodegraph.server.metrics import Counts
from nodegraph.server.placement import Placement
from nodegraph.server.progress import ProgressBoard
from nodegraph.server.shown import Shown
from nodegraph.server.tokens import folder_of
from nodegraph.workers.messages import Cancelled, Done, Failed, Happened, Run
from nodegraph.workers.pool import Died, Outcome, Pool, Worker

log = logging.getLogger(__name__)
PAUSED = "queue.paused"


class Dispatcher:
    """Owns the queue. All methods run in the server's loop."""

    def __init__(
        self, store: JobStore, pool: Pool, hub: Hub, progress: ProgressBoard, counts: Counts,
        shown: Shown, ended: Callable[[], None], *, retries: int,
    ) -> None:  # fmt: skip
        """shown: keeps the pictures that nodes show; ended: called when a job is over; retries: how often one
        is tried again that killed its worker.
        """
        self.store = store
        self.pool = pool
        self.hub = hub
        self.progress = progress
        self.counts = counts
        self.shown = shown
        self._ended = ended
        self.queue = Queue()
        self.paused = False
        self.placement = Placement()
        self._retries = retries
        self._cancelling: set[str] = set()
        self._wake = asyncio.Event()
        self._runs: set[asyncio.Task[None]] = set()
        self._over: dict[str, asyncio.Event] = {}
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Put back what ran when the last process ended, and begin."""
        recovered = await self.store.recover()
        for id_, last in (await self.store.last_events()).items():
            self.hub.begin(id_, last)
        for job in await self.store.waiting():
            self.queue.add(job)
        for job in recovered:
            await self._say(job, "the server was interrupted")
        self.paused = await self.store.setting(PAUSED) == "yes"
        self._loop = asyncio.create_task(self._work(), name="dispatcher")

    async def stop(self, grace: float) -> None:
        """Start nothing more. Running jobs may finish within the grace; others wait for the next start."""
        self._stopping = True
        if self._loop is not None:
            self._loop.cancel()
        if self._runs:
            await asyncio.wait(self._runs, timeout=grace)
        await self.pool.close()
        if self._runs:
            await asyncio.wait(self._runs)
        await self.hub.stop()

    def wake(self) -> None:
        """Something changed: a worker is idle, or a job waits."""
        self._wake.set()

    async def submit(self, new: Sequence[NewJob]) -> list[tuple[Job, bool]]:
        """Keep jobs and queue them; each with whether it is new."""
        stored = await self.store.submit(new)
        for job, created in stored:
            if created:
                self.counts.submitted += 1
                self.queue.add(job)
                await self._say(job)
        self.wake()
        return stored

    async def cancel(self, job: Job) -> Job:
        """Stop a job: at once while it waits, within a step while it runs. One that is over stays so."""
        self.queue.remove(job.id)
        worker = self.pool.running(job.id)
        if worker is not None:
            self._cancelling.add(job.id)
            worker.cancel()
            return job
        ended = await self.store.finish(job.id, "cancelled")
        if ended is None:
            return await self.store.get(job.id) or job
        await self._say(ended)
        self._end(ended)
        return ended

    async def pause(self, paused: bool) -> None:
        """Start nothing, or go on. What runs is not touched."""
        self.paused = paused
        await self.store.set_setting(PAUSED, "yes" if paused else "no")
        self.wake()

    async def change(
        self, job: Job, *, held: bool | None, priority: int | None, position: float | None
    ) -> Job:
        """Another place, priority or hold for a waiting job. The job as it is afterwards."""
        for changed in (
            await self.store.hold(job.id, held) if held is not None else None,
            await self.store.set_priority(job.id, priority) if priority is not None else None,
            await self.store.move(job.id, position) if position is not None else None,
        ):
            job = changed or job
        if job.id in self.queue:
            self.queue.add(job)
        self.wake()
        return job

    async def wait(self, id_: str, seconds: float) -> None:
        """Wait until a job is over, but not longer."""
        over = self._over.setdefault(id_, asyncio.Event())  # before it is looked at: it may end meanwhile
        job = await self.store.get(id_)
        if job is None or job.is_final:
            self._over.pop(id_, None)
            over.set()
            return
        try:
            await asyncio.wait_for(over.wait(), seconds)
        except TimeoutError:
            return

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while idle := self.pool.idle():
                job = self.queue.next() if not self.paused else None
                if job is None:
                    break
                self.queue.serve(job)
                worker = self.placement.choose(job, idle)
                self.placement.note(job, worker)
                task = asyncio.create_task(self._run(job, worker))
                self._runs.add(task)
                task.add_done_callback(self._runs.discard)
                await asyncio.sleep(0)  # let the worker become busy

    async def _run(self, job: Job, worker: Worker) -> None:
        options = msgspec.json.decode(job.options)
        run = Run(
            job.id, job.document, job.inputs, options.get("targets"), bool(options.get("previews")),
            folder_of(job.user),
        )  # fmt: skip
        started = asyncio.ensure_future(self.store.start(job.id, worker.id))
        self._post(job, state="running", worker=worker.id, attempts=job.attempts + 1)

        def heard(event: Happened) -> None:
            fields = msgspec.json.decode(event.fields)
            self.progress.heard(job.id, event.kind, fields)
            if event.image is not None and fields.get("final"):
                self.shown.heard(job.id, fields["node"], event.image)
            self.hub.post(job.id, job.user, event.kind, fields, event.image)

        try:
            outcome = await worker.run(run, heard)
            begun = await started
            if begun is not None:  # else it was cancelled while it was handed over
                await self._settle(begun, outcome)
        finally:  # also where the database refused: what is held of a job would be held for good
            self._cancelling.discard(job.id)
            self.progress.forget(job.id)
            self.shown.forget(job.id)
            self.wake()

    async def _settle(self, job: Job, outcome: Outcome) -> None:
        # What a worker showed that died is nobody's: the job is tried again, or has no result to show.
        reason, shown = "", None if isinstance(outcome, Died) else await self.shown.keep(job.id)
        match outcome:
            case Done():
                ended = await self.store.finish(job.id, "done", result=outcome.result, shown=shown)
            case Failed():
                ended = await self.store.finish(job.id, "failed", problems=outcome.problems, shown=shown)
            case Cancelled():
                ended = await self.store.finish(job.id, "cancelled", shown=shown)
            case Died():
                ended, reason = await self._after_death(job, outcome), outcome.reason
        if ended is None:
            return
        await self._say(ended, reason)
        if ended.is_final:
            self._end(ended)
        else:
            self.queue.add(ended)

    async def _after_death(self, job: Job, died: Died) -> Job | None:
        problems = _problems(f"worker_{died.cause}", f"the worker that ran the job died: {died.reason}")
        if job.id in self._cancelling:
            return await self.store.finish(job.id, "cancelled", problems=problems)
        if died.cause == "stopped":
            return await self.store.put_back(job.id, "queued", problems)
        if died.cause == "memory":  # it would need as much again
            return await self.store.finish(job.id, "failed", problems=problems)
        state: State = "quarantined" if job.deaths >= self._retries else "queued"
        return await self.store.put_back(job.id, state, problems, died=True)

    async def _say(self, job: Job, reason: str = "") -> None:
        if not self.hub.knows(job.id):
            self.hub.begin(job.id, await self.store.last_event(job.id) if job.attempts else 0)
        self._post(job, state=job.state, worker=job.worker, attempts=job.attempts, reason=reason)

    def _post(self, job: Job, *, state: State, worker: str | None, attempts: int, reason: str = "") -> None:
        fields = {"state": state, "reason": reason, "worker": worker, "attempts": attempts}
        self.hub.post(job.id, job.user, "state", fields)

    def _end(self, job: Job) -> None:
        self.hub.forget(job.id)
        self.counts.ended[job.state] += 1
        self._ended()
        log.info("%s", job.state, extra={"job": job.id, "user": job.user, "worker": job.worker})
        over = self._over.pop(job.id, None)
        if over is not None:
            over.set()


def _problems(code: str, message: str) -> bytes:
    return msgspec.json.encode([{"code": code, "message": message}])
