"""Routes whose signatures say everything: what a request must be, what is answered, the OpenAPI document.

A handler is `async def name(request, job: str, query: SomeQuery, body: SomeBody) -> SomeView`. Parameters
named in the path come from it; `query` and `body` are pydantic models by which the request is checked; what
it returns is a model (or a `Reply` of one, with another status or headers), or a response of its own.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from aiohttp import web
from pydantic import BaseModel, ValidationError

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.loading import parse_json
from nodegraph.server.answers import HttpError

M = TypeVar("M", bound=BaseModel)
Handler = Callable[..., Awaitable[object]]
H = TypeVar("H", bound=Callable[..., Awaitable[object]])
_IN_PATH = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


@dataclass(frozen=True)
class Reply(Generic[M]):
    """An answer with a status of its own, or with headers."""

    value: M
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """One route as its handler declares it.

    answer: the model of a JSON answer, None where there is none; media: the type of an answer that is not
    JSON; statuses: what it answers besides; is_open: needs no token; takes: the media type of a body that is
    not JSON, read by the handler itself.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    status: int
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    media: str | None
    takes: str | None
    statuses: tuple[int, ...]
    is_open: bool

    @property
    def parameters(self) -> Sequence[str]:
        """The names in the path."""
        return _IN_PATH.findall(self.path)

    @property
    def plain_path(self) -> str:
        """The path without what its parameters may look like."""
        return _IN_PATH.sub(r"{\1}", self.path)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Check the request, call the handler, and make its answer a response."""
        given: dict[str, Any] = {name: request.match_info[name] for name in self.parameters}
        if self.query is not None:
            given["query"] = checked(self.query, _single(request))
        elif request.query:
            raise _unknown_query(sorted(request.query), ())
        if self.body is not None:
            given["body"] = await body_of(request, self.body)
        return self._response(await self.handler(request, **given))

    def _response(self, value: object) -> web.StreamResponse:
        if isinstance(value, web.StreamResponse):
            return value
        if value is None:
            return web.Response(status=204)
        reply = value if isinstance(value, Reply) else Reply(value, self.status)  # type: ignore[type-var]
        return web.Response(
            body=packed(reply.value), status=reply.status, content_type="application/json",
            headers=dict(reply.headers),
        )  # fmt: skip


class Routes:
    """The endpoints of one part of the API, collected by decorators."""

    def __init__(self, tag: str, prefix: str = "/api/v1") -> None:
        self.tag = tag
        self.prefix = prefix
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, **options: Any) -> Callable[[H], H]:
        """A handler of GET; see `add` for the options."""
        return self.add("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[H], H]:
        """A handler of POST."""
        return self.add("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[H], H]:
        """A handler of PUT."""
        return self.add("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[H], H]:
        """A handler of PATCH."""
        return self.add("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[H], H]:
        """A handler of DELETE."""
        return self.add("DELETE", path, **options)

    def add(
        self, method: str, path: str, *, status: int = 200, media: str | None = None,
        takes: str | None = None, statuses: tuple[int, ...] = (), is_open: bool = False,
    ) -> Callable[[H], H]:  # fmt: skip
        """A handler for a method and path. See `Endpoint` for the options."""

        def mark(handler: H) -> H:
            hints = get_type_hints(handler)
            self.endpoints.append(
                Endpoint(
                    method, self.prefix + path, handler, self.tag, status, hints.get("query"),
                    hints.get("body"), _model_in(hints.get("return")), media, takes, statuses, is_open,
                )
            )  # fmt: skip
            return handler

        return mark


def packed(value: object) -> bytes:
    """JSON of a model, or of data."""
    if isinstance(value, BaseModel):
        return value.model_dump_json().encode()
    return msgspec.json.encode(value)


async def body_of(request: web.Request, model: type[M]) -> M:
    """The body of a request, checked. HttpError or WorkflowError tell what is wrong with it."""
    if request.content_type != "application/json":
        raise HttpError(
            415, "the body is not application/json", code="unsupported_media_type",
            found=request.content_type, remedy="Send the header 'Content-Type: application/json'.",
        )  # fmt: skip
    data = parse_json(await request.read())
    return checked(model, data)


def checked(model: type[M], data: object) -> M:
    """The data as the model. WorkflowError lists all that is wrong with it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise WorkflowError(
            Problem("bad_request", one["msg"], input=".".join(map(str, one["loc"])) or None)
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ) from None


def _single(request: web.Request) -> dict[str, str]:
    """The query, each name of it once."""
    twice = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    if twice:
        raise HttpError(422, f"'{twice[0]}' is given more than once", code="bad_request", input=twice[0])
    return dict(request.query)


def _unknown_query(names: Sequence[str], known: Sequence[str]) -> HttpError:
    return HttpError(
        422, f"this route has no parameter '{names[0]}'", code="bad_request", input=names[0],
        expected=", ".join(known) or "none",
    )  # fmt: skip


def _model_in(hint: Any) -> type[BaseModel] | None:
    """The model of an answer: the annotation, or what a `Reply` is of."""
    if get_origin(hint) is Reply:
        hint = get_args(hint)[0]
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None
