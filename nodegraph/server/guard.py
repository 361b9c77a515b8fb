"""What stands before every handler: Host, Origin and token are checked, and every answer is made safe.

Programs send `Authorization: Bearer TOKEN`. A browser is sent to `/?token=…` once and has a cookie then,
which counts only together with an Origin of this server where something is changed.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from nodegraph.server.answers import HttpError, of_error
from nodegraph.server.settings import LOOPBACK
from nodegraph.server.state import SERVICES, Services
from nodegraph.server.tokens import OWNER

OPEN = frozenset({"/", "/health", "/api/v1/openapi.json"})
"""Paths that answer without a token, and say nothing of anybody."""
PARTS = "/assets/"
"""Where the parts of the editor lie, which are open as the page itself is."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    # Inline styles: the editor's dialogs stop the page behind them from scrolling by a style element.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_open(path: str) -> bool:
    """Whether a path answers without a token."""
    return path in OPEN or path.startswith(PARTS)


def only_owner(request: web.Request, what: str) -> None:
    """HttpError unless the caller is the owner. what: as in "only the owner …"."""
    if request["user"] != OWNER:
        raise HttpError(403, f"only the owner {what}", code="forbidden")


def cookie_of(request: web.Request) -> str:
    """The name of the cookie: each port has its own."""
    return f"nodegraph-{urlsplit(f'//{request.host}').port or 80}"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who may come in; errors become problem details, and headers are set whatever happens."""
    services = request.app[SERVICES]
    try:
        _check_host(request, services)
        _check_origin(request)
        if not is_open(request.path):
            request["user"] = _user(request, services)
        response = await handler(request)
    except web.HTTPException as error:
        response = error if error.status < 400 else of_error(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the rest
        response = of_error(error)
    route = request.match_info.route.resource
    services.counts.requests[request.method, route.canonical if route else "", response.status] += 1
    if not response.prepared:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
    return response


def _check_host(request: web.Request, services: Services) -> None:
    """A name that somebody else's DNS made up is not ours (DNS rebinding)."""
    host = urlsplit(f"//{request.host}").hostname or ""
    known = {*LOOPBACK, *services.settings.hosts, services.settings.host}
    if host not in known:
        raise HttpError(403, f"this server is not called '{host}'", code="foreign_host")


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        raise HttpError(403, "the request comes from another site", code="foreign_origin")


def _changes(request: web.Request) -> bool:
    """Whether a request does more than look: then a cookie alone does not say who sent it."""
    return request.method not in SAFE or request.headers.get("Upgrade", "").lower() == "websocket"


def _user(request: web.Request, services: Services) -> str:
    header = request.headers.get("Authorization", "")
    kind, _, token = header.partition(" ")
    cookie = request.cookies.get(cookie_of(request), "")
    if header and kind.lower() == "bearer":
        user = services.tokens.user_of(token.strip())
    else:
        user = services.tokens.user_of(cookie) if cookie else None
        if user is not None and _changes(request) and "Origin" not in request.headers:
            raise HttpError(403, "the request does not say where it comes from", code="origin_missing")
    if user is None:
        raise HttpError(
            401, "there is no valid token with the request", code="not_logged_in",
            remedy="Send 'Authorization: Bearer TOKEN'; the token is in the URL that the server printed.",
        )  # fmt: skip
    return user
