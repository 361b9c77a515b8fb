"""Lazy inputs: what a node gets for a branch that runs only when it is awaited, and who awaits what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any


class LazyValue:
    """What a node gets for a lazy input that is linked: awaiting it runs the branch."""

    def __init__(self, ask: Callable[[], Awaitable[Any]]) -> None:
        self._ask = ask

    def __await__(self) -> Generator[Any, None, Any]:
        return self._ask().__await__()


class ReadyValue:
    """What a node gets for a lazy input that is written: awaiting it gives the value."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        return self._give().__await__()

    async def _give(self) -> Any:
        return self._value


class UpstreamError(Exception):
    """What a node asked for cannot be had: a node of its branch failed, and that was reported."""


class Askers:
    """Who waits for which node's result."""

    def __init__(self) -> None:
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}

    def wait(self, node: str) -> asyncio.Future[None]:
        """A future that is done when the node has finished. UpstreamError comes out if it never will."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(node, []).append(future)
        return future

    def answer(self, node: str) -> None:
        """Tell those who wait that a node's result is there."""
        if not self._waiters:  # most graphs have no lazy inputs
            return
        for future in self._waiters.pop(node, ()):
            if not future.done():
                future.set_result(None)

    def disappoint(self, node: str) -> None:
        """Tell those who wait that a node failed, or will never run because one before it did."""
        for future in self._waiters.pop(node, ()):
            if not future.done():
                future.set_exception(UpstreamError(node))
