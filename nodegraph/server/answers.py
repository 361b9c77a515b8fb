"""Errors as problem details (RFC 9457), and answers in JSON."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.http import HttpProcessingError
from pydantic import BaseModel

from nodegraph.errors import NodegraphError, Problem, WorkflowError
from nodegraph.jobs.database import DatabaseError

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
_TITLES = {
    400: "Bad request", 401: "Not logged in", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Changed meanwhile", 413: "Too large", 415: "Unsupported media type",
    416: "Range not satisfiable", 422: "Cannot be run", 429: "Too many requests", 500: "Internal error",
    503: "Unavailable",
}  # fmt: skip


class HttpError(NodegraphError):
    """An error with its HTTP status."""

    def __init__(
        self, status: int, message: str, *, code: str, remedy: str | None = None, **more: Any
    ) -> None:
        super().__init__(message, code=code, remedy=remedy, **more)
        self.status = status


def not_found(what: str, name: str) -> HttpError:
    """There is no such thing, or it is somebody else's, which is told alike."""
    return HttpError(404, f"there is no {what} '{name}'", code=f"unknown_{what}")


def answer(value: BaseModel | Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON of a model, or of data."""
    text = value.model_dump_json().encode() if isinstance(value, BaseModel) else msgspec.json.encode(value)
    return web.Response(body=text, status=status, content_type="application/json", headers=headers)


def problem(
    status: int, code: str, detail: str, remedy: str | None = None, problems: Sequence[Problem | Any] = ()
) -> web.Response:
    """An error as problem details."""
    body = {
        "type": f"urn:nodegraph:{code}", "title": _TITLES.get(status, "Error"), "status": status,
        "detail": detail, "code": code, "remedy": remedy,
        "problems": [_data(one) for one in problems],
    }  # fmt: skip
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=PROBLEM, headers=headers)


def of_error(error: BaseException) -> web.Response:
    """What went wrong, without what is nobody's business."""
    match error:
        case HttpError():
            return problem(
                error.status, error.problem.code, error.problem.message, error.problem.remedy, [error.problem]
            )
        case WorkflowError():
            return problem(422, "workflow_problems", "the workflow cannot be run", None, error.problems)
        case DatabaseError():
            log.warning("%s", error)
            return problem(503, error.problem.code, error.problem.message, error.problem.remedy)
        case NodegraphError():
            found = error.problem
            status = 409 if found.code.endswith(("conflict", "exists")) else 422
            return problem(status, found.code, found.message, found.remedy, [found])
        case HttpProcessingError():  # a form that is none
            return problem(400, "bad_http", " ".join(str(error.message).split())[:200] or "it cannot be read")
        case web.HTTPException():
            return problem(error.status, f"http_{error.status}", error.reason or "")
    number = secrets.token_hex(4)
    log.error("internal error %s", number, exc_info=error)
    return problem(500, "internal", f"something failed inside the server; its log tells more under {number}")


def _data(one: Problem | Any) -> Any:
    if not isinstance(one, Problem):
        return one
    names = ("code", "message", "node", "title", "input", "expected", "found", "remedy")
    return {name: getattr(one, name) for name in names}
