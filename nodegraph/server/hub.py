"""Live events of jobs: kept ones are durable before anybody sees them, and nobody can slow a job down.

Kept events get the next number of their job. Fleeting ones (steps, previews) carry the number of the last
kept one, so that a client that resumes after the number it saw last misses nothing that was kept, even if
the server died in between. All events of all jobs go through one writer, in order: what waits together is
committed together.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from nodegraph.errors import NodegraphError
from nodegraph.jobs.records import JobEvent
from nodegraph.wire.events import FLEETING

log = logging.getLogger(__name__)
MAX_WAITING = 1_000
"""Events that a listener may be behind; one that is slower is told so, and reads the rest from the store."""


class Live(Struct, frozen=True):
    """One event: of which job and whose, its number, kind and fields."""

    job: str
    user: str
    seq: int
    kind: str
    time: float
    fields: dict[str, Any]
    image: bytes | None = None
    """The picture of a preview, as it came from the worker."""

    def with_image(self) -> dict[str, Any]:
        """The event as it travels where there is text alone: the picture as a data URL."""
        if self.image is None:
            return self.to_json()
        return {**self.to_json(), "image": f"data:image/jpeg;base64,{base64.b64encode(self.image).decode()}"}

    def to_json(self) -> dict[str, Any]:
        """The event as it travels."""
        return {"job": self.job, "seq": self.seq, "time": self.time, "kind": self.kind, **self.fields}


Keep = Callable[[Sequence[JobEvent]], Awaitable[None]]
Wants = Callable[[Live], bool]


class Listener:
    """What one client still has to read. `overrun` is set when it was too slow and events were dropped."""

    def __init__(self, wants: Wants) -> None:
        self.wants = wants
        self.overrun = False
        self._events: deque[Live] = deque()
        self._there = asyncio.Event()

    def offer(self, event: Live) -> None:
        """Put an event where the client reads; the newest preview of a node replaces the one before it."""
        if not self.wants(event):
            return
        if len(self._events) >= MAX_WAITING:
            self._make_room(event)
        else:
            self._events.append(event)
        self._there.set()

    async def next(self) -> Live | None:
        """The next event; None where events were lost and the client has to read them from the store."""
        while not self._events and not self.overrun:
            self._there.clear()
            await self._there.wait()
        if self.overrun:
            self.overrun = False
            self._events.clear()
            return None
        return self._events.popleft()

    def _make_room(self, event: Live) -> None:
        if event.kind in FLEETING:
            return
        kept = [one for one in self._events if one.kind not in FLEETING]
        if len(kept) >= MAX_WAITING:
            self.overrun = True
        else:
            self._events = deque([*kept, event])


class Hub:
    """Numbers, keeps and hands out the events of all jobs."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._last: dict[str, int] = {}  # the number of the last kept event of each job that is alive
        self._waiting: list[Live] = []
        self._listeners: set[Listener] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write and hand out."""
        self._task = asyncio.create_task(self._work(), name="events")

    async def stop(self) -> None:
        """Write what waits, and end."""
        await self.settled()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def begin(self, job: str, last: int) -> None:
        """From here on events of this job are numbered after `last`."""
        self._last[job] = last

    def knows(self, job: str) -> bool:
        """Whether it is known where the numbers of this job's events stand."""
        return job in self._last

    def forget(self, job: str) -> None:
        """No more events will come of this job."""
        self._last.pop(job, None)

    def post(self, job: str, user: str, kind: str, fields: dict[str, Any], image: bytes | None = None) -> int:
        """Keep an event (unless it is fleeting) and hand it to whoever listens; its number."""
        last = self._last.get(job, 0)
        if kind not in FLEETING:
            last += 1
            self._last[job] = last
        self._waiting.append(Live(job, user, last, kind, time.time(), fields, image))
        self._idle.clear()
        self._wake.set()
        return last

    def listen(self, wants: Wants) -> Listener:
        """A listener for the events that it wants. To be handed back with `leave`."""
        listener = Listener(wants)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """This client reads no more."""
        self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        """How many clients listen."""
        return len(self._listeners)

    async def settled(self) -> None:
        """Wait until everything that was posted is kept and handed out."""
        await self._idle.wait()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch, self._waiting = self._waiting, []
                kept = [_stored(event) for event in batch if event.kind not in FLEETING]
                if kept:
                    await self._keep_safely(kept)
                self._hand_out(batch)
            self._idle.set()

    async def _keep_safely(self, kept: Sequence[JobEvent]) -> None:
        try:
            await self._keep(kept)
        except NodegraphError as error:  # a full disk: the jobs go on, and listeners still hear of them
            log.warning("%d events are not kept: %s", len(kept), error)

    def _hand_out(self, batch: Iterable[Live]) -> None:
        if not self._listeners:
            return
        for event in batch:
            for listener in self._listeners:
                listener.offer(event)


def _stored(event: Live) -> JobEvent:
    return JobEvent(event.job, event.seq, event.kind, msgspec.json.encode(event.fields), event.time)
