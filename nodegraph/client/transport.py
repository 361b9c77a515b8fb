"""Requests and answers: JSON into models, problem details into errors, new tries after broken connections."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar, cast

import aiohttp
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from nodegraph.client.address import Address
from nodegraph.client.errors import ServerError
from nodegraph.client.patience import LOST, Patience, Tries
from nodegraph.errors import InputError, Problem
from nodegraph.wire.problems import ProblemDetails

T = TypeVar("T")
ANSWER = 60.0
"""Seconds without a byte after which a connection counts as broken."""
CONNECT = 10.0
_NEVER_AGAIN = Patience(tries=0)


class Transport:
    """One server over HTTP. To be opened before use and closed after it."""

    def __init__(self, address: Address, patience: Patience) -> None:
        self.url = address.url
        self._token = address.token
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None
        self._met = False

    async def open(self) -> None:
        """Make a place for connections; none is made yet."""
        headers = {"Authorization": f"Bearer {self._token}"}
        self._session = aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        model: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        wait: float = 0.0,
        again: bool = True,
    ) -> T:
        """Send a request and read its answer as a model.

        body: sent as JSON; data: sent as it is. wait: seconds that the server may take by order. again: the
        request may reach the server twice, so it is sent once more after a broken connection.
        """
        query = {**(query or {}), **({"wait": f"{wait:g}"} if wait else {})}
        data = _encoded(body) if body is not None else data
        tries = self.tries() if again else Tries(_NEVER_AGAIN, self.url, met=self._met)
        while True:
            try:
                async with self.request(
                    method, path, data=data, query=query, headers=headers, silence=wait + ANSWER
                ) as answer:
                    text = await answer.read()
            except LOST as error:
                await tries.pause(error)
                continue
            return _decoded(model, text, answer.status)

    def tries(self) -> Tries:
        """The tries of a request that is made here from its beginning to its end."""
        return Tries(self._patience, self.url, met=self._met)

    @asynccontextmanager
    async def request(
        self, method: str, path: str, *, data: bytes | None = None, query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, silence: float = ANSWER,
    ) -> AsyncIterator[aiohttp.ClientResponse]:  # fmt: skip
        """Send a request once; its answer, still to be read. What breaks is raised as it is (`LOST`).

        ServerError: the server refuses or fails. silence: seconds without a byte that are borne.
        """
        if self._session is None:
            raise InputError(
                "the client is not open", code="not_open", remedy="Write: async with Client(…) as client:"
            )
        address = URL(f"{self.url}{path}", encoded=True)
        sent = {"Content-Type": "application/json", **(headers or {})} if data is not None else headers
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=silence)
        try:
            async with self._session.request(
                method, address.update_query(query) if query else address, data=data, headers=sent,
                timeout=timeout, allow_redirects=False,
            ) as response:  # fmt: skip
                self._met = True
                if response.status >= 300:
                    raise _error(response.status, response.reason or "", await response.read())
                yield response
        except aiohttp.ClientResponseError as error:
            raise ServerError(
                error.status, f"what answers at {self.url} does not speak HTTP as a server does",
                code="strange_answer", remedy="See whether the address is that of nodegraph's server.",
            ) from error  # fmt: skip


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the request cannot be written as JSON: {error}", code="bad_json",
            remedy="Workflows and inputs are plain data: text, finite numbers, booleans, lists, objects.",
        ) from None  # fmt: skip


@lru_cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _decoded(model: type[T], text: bytes, status: int) -> T:
    try:
        answer: T = _adapter(cast("Hashable", model)).validate_json(text)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "the whole"
        raise ServerError(
            status, f"the server's answer is none that this client reads ({where})", code="strange_answer",
            remedy="See whether the address is that of nodegraph's server, and whether both are as new.",
        ) from None  # fmt: skip
    return answer


def _error(status: int, reason: str, text: bytes) -> ServerError:
    """The error that an answer tells; of a proxy's the status alone."""
    try:
        told = ProblemDetails.model_validate_json(text)
    except ValidationError:
        return ServerError(status, f"the server answers {status} {reason}".rstrip(), code=f"http_{status}")
    problems = (Problem(**one.model_dump()) for one in told.problems)
    return ServerError(
        status, told.detail or told.title, code=told.code, remedy=told.remedy, problems=problems
    )
