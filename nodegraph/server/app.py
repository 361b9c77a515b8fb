"""The server as an aiohttp application."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from nodegraph import __version__
from nodegraph.errors import InputError
from nodegraph.server.answers import HttpError, answer, not_found
from nodegraph.server.guard import cookie_of, guard
from nodegraph.server.jobs_routes import routes as jobs
from nodegraph.server.settings import ServerSettings
from nodegraph.server.state import SERVICES, Services
from nodegraph.workers.pool import Refused

routes = web.RouteTableDef()
_FILE = re.compile(r"[0-9a-f]{40}\.png")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>nodegraph</title>
<main><h1>nodegraph {version}</h1><p>The server runs. The API is under <code>/api/v1</code>.</p></main></html>
"""


@routes.get("/health")
async def health(_request: web.Request) -> web.Response:
    """Whether the server answers."""
    return answer({"status": "ok", "version": __version__})


@routes.get("/")
async def page(request: web.Request) -> web.StreamResponse:
    """The page; with a token, a cookie is set and the token leaves the address."""
    services = request.app[SERVICES]
    token = request.query.get("token")
    if token is None:
        return web.Response(text=_PAGE.format(version=__version__), content_type="text/html")
    if services.tokens.user_of(token) is None:
        raise HttpError(401, "the token is not valid", code="not_logged_in")
    response = web.HTTPSeeOther("/")
    response.set_cookie(cookie_of(request), token, httponly=True, samesite="Strict", path="/")
    return response


@routes.get("/api/v1/nodes")
async def nodes(request: web.Request) -> web.Response:
    """Every node type, with schemas of its inputs."""
    return answer(await _asked(request, "catalogue"))


@routes.get("/api/v1/memory")
async def memory(request: web.Request) -> web.Response:
    """Every held byte of every worker, with owner and reason: for the owner."""
    if request["user"] != "owner":
        raise HttpError(403, "only the owner sees what workers hold", code="forbidden")
    workers = request.app[SERVICES].pool.workers.values()
    return answer(
        {worker.id: await worker.ask("explain") for worker in workers if worker.state in ("idle", "busy")}
    )


@routes.get("/api/v1/system")
async def system(request: web.Request) -> web.Response:
    """The workers, and how many jobs there are in every state."""
    services = request.app[SERVICES]
    workers = [
        {
            "id": worker.id,
            "state": worker.state,
            "device": worker.settings.device,
            "restarts": worker.restarts,
        }
        for worker in services.pool.workers.values()
    ]
    return answer({"version": __version__, "workers": workers, "jobs": await services.store.counts()})


@routes.get("/api/v1/files/{name}")
async def file(request: web.Request) -> web.StreamResponse:
    """A picture that one of the caller's jobs made."""
    services, name = request.app[SERVICES], request.match_info["name"]
    path = services.settings.data_dir / "files" / name[:2] / name
    if (
        not _FILE.fullmatch(name)
        or not path.is_file()
        or not await services.store.made(request["user"], name)
    ):
        raise not_found("file", name)
    return web.FileResponse(path, headers={"Content-Type": "image/png"})


async def _asked(request: web.Request, what: str) -> object:
    worker = request.app[SERVICES].pool.any()
    try:
        if worker is not None:
            return await worker.ask(what)  # type: ignore[arg-type] # one of the questions
    except Refused:
        pass
    raise HttpError(503, "no worker is ready yet", code="no_worker", remedy="Ask again in a few seconds.")


def make_app(settings: ServerSettings) -> web.Application:
    """The application. InputError: an address that others can reach needs to be asked for."""
    app = web.Application(middlewares=[guard], client_max_size=settings.body)
    app[SERVICES] = Services.make(settings)
    app.add_routes(jobs)
    app.add_routes(routes)

    async def running(app: web.Application) -> AsyncIterator[None]:
        await app[SERVICES].start()
        yield
        await app[SERVICES].stop()

    app.cleanup_ctx.append(running)
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
    runner = web.AppRunner(make_app(settings), access_log=None)
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
