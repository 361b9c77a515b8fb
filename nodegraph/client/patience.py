"""How a client goes on after a broken connection: bounded tries with growing pauses between them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

from nodegraph.client.errors import UnreachableError
from nodegraph.errors import cause_of

LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
"""What a connection that cannot be made, or breaks, raises."""


@dataclass(frozen=True)
class Patience:
    """How often a broken connection is tried again; the first pause and the longest, in seconds.

    Each pause is twice the one before it. The default waits for about a minute: a server starts in less.
    """

    tries: int = 10
    first: float = 0.25
    longest: float = 10.0

    def pause(self, number: int) -> float:
        """Seconds before a try; `number` counts from 0."""
        return min(self.first * 2.0**number, self.longest)


class Tries:
    """The tries of one request. `met` says whether this server has answered before."""

    def __init__(self, patience: Patience, url: str, *, met: bool) -> None:
        self._patience = patience
        self._url = url
        self._met = met
        self._made = 0

    def succeeded(self) -> None:
        """Something came: the next break is a new one."""
        self._met = True
        self._made = 0

    async def pause(self, error: BaseException | None) -> None:
        """Wait before the next try. error: what broke; None where the server ended the connection.

        UnreachableError: there is no next try. A server that never answered is not waited for.
        """
        if isinstance(error, aiohttp.ClientConnectorError) and not self._met:
            raise nobody_there(self._url, error) from error
        if self._made >= self._patience.tries:
            raise _lost(self._url, error) from error
        self._met = True
        await asyncio.sleep(self._patience.pause(self._made))
        self._made += 1


def nobody_there(url: str, error: aiohttp.ClientConnectorError) -> UnreachableError:
    """The error for an address where nothing listens, or that cannot be found."""
    return UnreachableError(
        f"no server answers at {url}: {error.os_error.strerror or cause_of(error.os_error)}",
        remedy="Start it with `nodegraph serve`, or name another with --server or NODEGRAPH_SERVER.",
    )


def _lost(url: str, error: BaseException | None) -> UnreachableError:
    reason = f": {cause_of(error)}" if error is not None else ""
    return UnreachableError(
        f"the connection to {url} is lost{reason}", code="connection_lost",
        remedy="Jobs that the server accepted go on. See whether it runs: `nodegraph serve` starts it.",
    )  # fmt: skip
