"""Routes of the queue: what runs and waits, pause and resume."""

from __future__ import annotations

from aiohttp import web

from nodegraph.server.guard import only_owner
from nodegraph.server.routing import Routes
from nodegraph.server.state import services_of
from nodegraph.wire.jobs import QueueChange, QueueView

routes = Routes("queue")


@routes.get("/queue")
async def get_queue(request: web.Request) -> QueueView:
    """What runs and what waits, in the order in which it starts: the caller's own."""
    services, user = services_of(request), request["user"]
    waiting = [job.id for job in services.dispatcher.queue.order() if job.user == user]
    running = [job.id for job in await services.store.jobs(user, states=["running"])]
    return QueueView(paused=services.dispatcher.paused, running=running, waiting=waiting)


@routes.patch("/queue")
async def change_queue(request: web.Request, body: QueueChange) -> QueueView:
    """Pause or resume the whole queue: for the owner."""
    only_owner(request, "pauses the queue")
    await services_of(request).dispatcher.pause(body.paused)
    return await get_queue(request)
