"""What needs no token: the page, the health check, and the description of the API."""

from __future__ import annotations

from aiohttp import web

from nodegraph import __version__
from nodegraph.server.answers import HttpError
from nodegraph.server.guard import cookie_of
from nodegraph.server.routing import Routes
from nodegraph.server.state import DESCRIPTION, services_of
from nodegraph.wire.system import Health, PageQuery

routes = Routes("pages", prefix="")
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
        return web.Response(text=_PAGE.format(version=__version__), content_type="text/html")
    if services_of(request).tokens.user_of(query.token) is None:
        raise HttpError(401, "the token is not valid", code="not_logged_in")
    response = web.HTTPSeeOther("/")
    response.set_cookie(cookie_of(request), query.token, httponly=True, samesite="Strict", path="/")
    return response


@routes.get("/api/v1/openapi.json", media="application/json", is_open=True)
async def get_description(request: web.Request) -> web.Response:
    """This document: OpenAPI 3.1."""
    return web.Response(body=request.app[DESCRIPTION], content_type="application/json")
