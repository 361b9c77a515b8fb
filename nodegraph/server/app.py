"""The server as an aiohttp application."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from nodegraph.errors import InputError
from nodegraph.server.guard import guard
from nodegraph.server.openapi import document
from nodegraph.server.routes.all import ENDPOINTS
from nodegraph.server.settings import ServerSettings
from nodegraph.server.state import DESCRIPTION, SERVICES, Services

OFFLINE = "NODEGRAPH_OFFLINE"
HANG_UP = 1.0
"""Seconds that open requests, such as streams of events, have when the server stops."""


def make_app(settings: ServerSettings) -> web.Application:
    """The application. InputError: an address that others can reach needs to be asked for."""
    app = web.Application(middlewares=[guard], client_max_size=settings.body)
    app[SERVICES] = Services.make(settings)
    app[DESCRIPTION] = json.dumps(document(ENDPOINTS), indent=1).encode()
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, endpoint.path, endpoint.__call__)
        if endpoint.method == "GET":
            app.router.add_route("HEAD", endpoint.path, endpoint.__call__)

    async def running(app: web.Application) -> AsyncIterator[None]:
        await app[SERVICES].start()
        yield
        await app[SERVICES].stop()

    async def hang_up(app: web.Application) -> None:
        await app[SERVICES].hang_up()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(hang_up)
    return app


async def serve(
    settings: ServerSettings, started: Callable[[int, str], None], *, exposed: bool = False
) -> None:
    """Serve until the process is told to end. started: gets the port and the owner's token.

    InputError: the address can be reached from other machines, and that was not allowed (`exposed`).
    """
    if not settings.is_loopback and not exposed:
        raise InputError(
            f"'{settings.host}' can be reached from other machines", code="exposed", input="host",
            remedy="Use --expose if that is meant; everybody who has the token may run workflows then.",
        )  # fmt: skip
    if settings.offline:
        os.environ[OFFLINE] = "1"  # for the workers too
    runner = web.AppRunner(make_app(settings), access_log=None, shutdown_timeout=HANG_UP)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    started(int(runner.addresses[0][1]), runner.app[SERVICES].tokens.owner)
    await over.wait()
    await runner.cleanup()
