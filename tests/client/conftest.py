"""A real server, clients of it, and a relay between them that loses what it is told to lose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self, TypeVar

import pytest

from nodegraph.client import Client, Patience
from tests.server.conftest import Server, make_server, server

__all__ = ["make_server", "server"]
T = TypeVar("T")
SOON = Patience(tries=200, first=0.05, longest=0.1)
Talk = Callable[[Callable[[Client], Awaitable[Any]]], Any]


def client_of(server: Server, **options: Any) -> Client:
    options.setdefault("patience", SOON)
    return Client(f"http://127.0.0.1:{server.port}", server.token, **options)


def one(type_: str, **inputs: Any) -> dict[str, Any]:
    """A workflow of one node."""
    nodes = {"n": {"type": type_, "inputs": inputs}}
    return {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}}}


@pytest.fixture
def talk(server: Server) -> Talk:
    """Runs what a client of the module's server does."""

    def talking(work: Callable[[Client], Awaitable[T]]) -> T:
        async def run() -> T:
            async with client_of(server) as client:
                return await work(client)

        return asyncio.run(run())

    return talking


class Relay:
    """Stands between a client and a server. `losses` says, connection by connection, after how many bytes of
    the answer the connection breaks; the rest passes whole.
    """

    def __init__(self, port: int, losses: list[int]) -> None:
        self._target = port
        self._losses = losses
        self.requests: list[bytes] = []
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, out = await asyncio.open_connection("127.0.0.1", self._target)
        there = asyncio.create_task(self._forward(reader, out))
        self._tasks |= {there, *filter(None, [asyncio.current_task()])}
        try:
            await self._answer(upstream, writer, self._losses.pop(0) if self._losses else None)
        finally:
            there.cancel()
            for end in (out, writer):
                end.close()
            with suppress(ConnectionError):
                await asyncio.gather(out.wait_closed(), writer.wait_closed())

    async def _answer(
        self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
    ) -> None:
        with suppress(ConnectionError):
            while piece := await upstream.read(65536 if left is None else left + 1):
                writer.write(piece[:left])
                await writer.drain()
                if left is not None and len(piece) > left:
                    return
                left = left - len(piece) if left is not None else None

    async def _forward(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                self.requests.append(piece)
                out.write(piece)
                await out.drain()
