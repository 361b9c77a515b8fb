"""Routes of files: what jobs made."""

from __future__ import annotations

import re

from aiohttp import web

from nodegraph.server.answers import not_found
from nodegraph.server.routing import Routes
from nodegraph.server.state import services_of

routes = Routes("files")
_FILE = re.compile(r"[0-9a-f]{40}\.png")


@routes.get("/files/{name}", media="image/png", statuses=(206, 304, 416))
async def get_file(request: web.Request, name: str) -> web.StreamResponse:
    """A picture that one of the caller's jobs made."""
    services = services_of(request)
    path = services.settings.data_dir / "files" / name[:2] / name
    if (
        not _FILE.fullmatch(name)
        or not path.is_file()
        or not await services.store.made(request["user"], name)
    ):
        raise not_found("file", name)
    return web.FileResponse(path, headers={"Content-Type": "image/png"})
