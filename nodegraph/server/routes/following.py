"""Following a job: its events as a stream that can be resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from nodegraph.jobs.records import FINAL
from nodegraph.server.hub import Live
from nodegraph.server.routes.jobs import job_of
from nodegraph.server.routing import Routes
from nodegraph.server.state import Services, services_of
from nodegraph.wire.events import FLEETING
from nodegraph.wire.jobs import EventsQuery

BEAT = 15.0
"""Seconds between signs of life in a stream of events."""
routes = Routes("jobs")


@routes.get("/jobs/{job}/events", media="text/event-stream")
async def job_events(request: web.Request, job: str, query: EventsQuery) -> web.StreamResponse:
    """The events of a job as they happen, those that were kept first.

    Server-sent events; `Last-Event-ID` (or `after`) resumes. The stream ends with the job.
    """
    found = await job_of(request, job)
    services = services_of(request)
    given = request.headers.get("Last-Event-ID", "")
    after = int(given) if given.isdecimal() and len(given) < 18 else query.after
    listener = services.hub.listen(lambda event: event.job == found.id)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    try:
        after, over = await _replay(services, response, found.id, after)
        while not over:
            try:
                event = await asyncio.wait_for(listener.next(), BEAT)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event is None:  # it was too slow, and reads what it missed
                after, over = await _replay(services, response, found.id, after)
            elif event.seq > after or event.kind in FLEETING:
                after = max(after, event.seq)
                over = await _send(response, event)
    except ConnectionResetError:
        pass  # the client went away, which changes nothing
    finally:
        services.hub.leave(listener)
    return response


async def _replay(services: Services, response: web.StreamResponse, job: str, after: int) -> tuple[int, bool]:
    """Send what was kept after a number; the last number, and whether the job is over.

    The pictures that nodes showed come again, each before its node is told to have finished.
    """
    over, shown = False, await _shown(services, job)
    while not over:
        kept = await services.store.events(job, after)
        for one in kept:
            fields = msgspec.json.decode(one.data)
            if one.kind == "node_finished" and (image := await shown(fields["node"])) is not None:
                picture = {"node": fields["node"], "final": True}
                await _send(response, Live(job, "", one.seq - 1, "preview", one.time, picture, image))
            over = await _send(response, Live(job, "", one.seq, one.kind, one.time, fields))
            after = one.seq
        if not kept:
            return after, await _has_ended(services, job, after)
    return after, over


async def _shown(services: Services, id_: str) -> Callable[[str], Awaitable[bytes | None]]:
    """Reads the last finished picture of a node of a job, as it was sent."""
    job = await services.store.get(id_)
    kept = msgspec.json.decode(job.shown) if job is not None and job.shown is not None else {}

    async def read(node: str) -> bytes | None:
        held = services.dispatcher.shown.of(id_, node)
        return held or (await services.dispatcher.shown.read(kept[node]["name"]) if node in kept else None)

    return read


async def _has_ended(services: Services, job: str, after: int) -> bool:
    """Whether nothing more will come: the client saw the last event before, or the server died before it."""
    found = await services.store.get(job)
    if found is not None and not (found.is_final and not services.hub.knows(job)):
        return False
    await services.hub.settled()
    return not await services.store.events(job, after)


async def _send(response: web.StreamResponse, event: Live) -> bool:
    """Write an event; whether it is the last one."""
    data = msgspec.json.encode(event.with_image()).decode()
    number = "" if event.kind in FLEETING else f"id: {event.seq}\n"
    await response.write(f"{number}event: {event.kind}\ndata: {data}\n\n".encode())
    return event.kind == "state" and event.fields.get("state") in FINAL
