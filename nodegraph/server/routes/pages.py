"""What needs no token: the editor's page and its parts, the health check, and the description of the API."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from aiohttp import web

from nodegraph import __version__
from nodegraph.server.answers import HttpError, not_found
from nodegraph.server.guard import cookie_of
from nodegraph.server.routing import Routes
from nodegraph.server.state import DESCRIPTION, services_of
from nodegraph.wire.system import Health, PageQuery

routes = Routes("pages", prefix="")
STATIC = Path(__file__).parent.parent / "static"
"""The built editor; a checkout where it was not built has a plain page instead."""
_ASSET = re.compile(r"[A-Za-z0-9_.-]+\.(js|css|woff2|svg|png|webp)")
_MEDIA = {
    "js": "text/javascript", "css": "text/css", "woff2": "font/woff2", "svg": "image/svg+xml",
    "png": "image/png", "webp": "image/webp",
}  # fmt: skip
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>nodegraph</title>
<main><h1>nodegraph {version}</h1><p>The server runs. The API is under <code>/api/v1</code>.</p></main></html>
"""


@routes.get("/health", is_open=True)
async def health(_request: web.Request) -> Health:
    """Whether the server answers."""
    return Health(version=__version__)


@routes.get("/", media="text/html", is_open=True)
async def page(request: web.Request, query: PageQuery) -> web.StreamResponse:
    """The page; with a token, a cookie is set and the token leaves the address."""
    if query.token is None:
        return web.Response(text=await asyncio.to_thread(_page), content_type="text/html")
    if services_of(request).tokens.user_of(query.token) is None:
        raise HttpError(401, "the token is not valid", code="not_logged_in")
    response = web.HTTPSeeOther("/")
    response.set_cookie(cookie_of(request), query.token, httponly=True, samesite="Strict", path="/")
    return response


@routes.get("/assets/{name}", media="text/javascript", statuses=(206, 304, 404, 416), is_open=True)
async def get_asset(_request: web.Request, name: str) -> web.StreamResponse:
    """A part of the editor. Its name holds the hash of its content, so browsers keep it for ever."""
    found = _ASSET.fullmatch(name)
    path = STATIC / "assets" / name
    if found is None or not path.is_file():
        raise not_found("asset", name)
    headers = {"Content-Type": _MEDIA[found[1]], "Cache-Control": "public, max-age=31536000, immutable"}
    return web.FileResponse(path, headers=headers)


@routes.get("/api/v1/openapi.json", media="application/json", is_open=True)
async def get_description(request: web.Request) -> web.Response:
    """This document: OpenAPI 3.1."""
    return web.Response(body=request.app[DESCRIPTION], content_type="application/json")


def _page() -> str:
    built = STATIC / "index.html"
    return built.read_text("utf-8") if built.is_file() else _PAGE.format(version=__version__)
