"""All of a user's jobs over one WebSocket: a snapshot, then events; previews are binary.

A text message is a JSON object with its `kind`. A binary one is four bytes of length (big-endian), a JSON
object of that length, and a JPEG. A client may send `{"watch": [job, …]}` to hear of these jobs alone, or
`{"watch": null}` for all. Whoever is too slow gets a new snapshot instead of what was dropped.
"""

from __future__ import annotations

import asyncio
import struct

import msgspec
from aiohttp import WSMsgType, web

from nodegraph.server.hub import Listener, Live
from nodegraph.server.routing import Routes
from nodegraph.server.state import Services, services_of
from nodegraph.server.views import view_of
from nodegraph.wire.events import Snapshot

routes = Routes("events")
HEARTBEAT = 20.0
MAX_MESSAGE = 64 * 2**10
_LENGTH = struct.Struct(">I")


class _Watched:
    """Which jobs a client wants to hear of: None for all of them."""

    def __init__(self) -> None:
        self.jobs: frozenset[str] | None = None

    def tell(self, text: str) -> bool:
        """Take what the client sent; whether it was understood."""
        try:
            asked = msgspec.json.decode(text, type=dict[str, list[str] | None])
        except ValueError:
            return False
        if set(asked) != {"watch"}:
            return False
        self.jobs = frozenset(asked["watch"]) if asked["watch"] is not None else None
        return True


@routes.get("/events", status=101)
async def socket(request: web.Request) -> web.StreamResponse:
    """A WebSocket with a snapshot of the caller's jobs, then their events; previews are binary messages."""
    services, user = services_of(request), request["user"]
    connection = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MAX_MESSAGE)
    await connection.prepare(request)
    watched = _Watched()
    listener = services.hub.listen(
        lambda event: event.user == user and (watched.jobs is None or event.job in watched.jobs)
    )
    services.sockets.add(connection)
    sending = asyncio.create_task(_send_all(services, user, connection, listener))
    try:
        async for message in connection:
            if message.type != WSMsgType.TEXT or not watched.tell(message.data):
                await connection.close(code=1003, message=b'expected {"watch": [...]}')
    finally:
        sending.cancel()
        services.hub.leave(listener)
        services.sockets.discard(connection)
    return connection


async def _send_all(
    services: Services, user: str, connection: web.WebSocketResponse, listener: Listener
) -> None:
    try:
        await connection.send_str((await _snapshot(services, user)).model_dump_json())
        while True:
            event = await listener.next()
            if event is None:
                await connection.send_str((await _snapshot(services, user)).model_dump_json())
            elif event.image is not None:
                await connection.send_bytes(_framed(event))
            else:
                await connection.send_str(msgspec.json.encode(event.to_json()).decode())
    except ConnectionError:
        pass  # the client went away, which changes nothing


async def _snapshot(services: Services, user: str) -> Snapshot:
    """The jobs that wait and run, in the order in which they start."""
    queue = services.dispatcher.queue
    jobs = await services.store.jobs(user, states=["queued", "held", "running"], limit=1_000)
    views = [view_of(job, queue.place(job.id), services.progress.of(job.id)) for job in reversed(jobs)]
    views.sort(key=lambda view: -1 if view.place is None else view.place)
    return Snapshot(paused=services.dispatcher.paused, jobs=views)


def _framed(event: Live) -> bytes:
    header = msgspec.json.encode(event.to_json())
    return _LENGTH.pack(len(header)) + header + (event.image or b"")
