"""The events of a job over a connection that may break: it is made again where the last event was."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from nodegraph.client.patience import LOST
from nodegraph.client.transport import Transport
from nodegraph.wire.events import JobEvent, StateChanged
from nodegraph.wire.jobs import State

FINAL: frozenset[State] = frozenset({"done", "failed", "cancelled", "quarantined"})
SILENCE = 45.0
"""Seconds without a byte after which the server is taken for dead: it sends a sign of life every 15."""
_EVENT: TypeAdapter[JobEvent] = TypeAdapter(JobEvent)


class Frame(NamedTuple):
    """One server-sent event: its data, and its number if it has one. Without data it is a sign of life."""

    data: str
    id: int | None = None


async def follow(
    transport: Transport, job: str, after: int, is_over: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[JobEvent, None]:
    """The events of a job after a number, until it is over.

    is_over: asked when the server is silent; a server that died between a job's end and the event of it
    says nothing any more. UnreachableError: the connection broke more often than it is tried again.
    """
    tries = transport.tries()
    path = f"/api/v1/jobs/{quote(job, safe='')}/events"
    while True:
        broken: BaseException | None = None
        try:
            headers = {"Last-Event-ID": str(after), "Accept": "text/event-stream"}
            async with transport.request("GET", path, headers=headers, silence=SILENCE) as response:
                async for frame in frames(response.content.iter_any()):
                    tries.succeeded()
                    if not frame.data and await is_over():
                        return
                    after = max(after, frame.id or 0)
                    event = _event(frame)
                    if event is None:
                        continue
                    yield event
                    if isinstance(event, StateChanged) and event.state in FINAL:
                        return
        except LOST as error:
            broken = error
        await tries.pause(broken)


async def frames(chunks: AsyncIterable[bytes]) -> AsyncIterator[Frame]:
    """Server-sent events from bytes that are cut anywhere. One that is not whole is none."""
    data: list[str] = []
    number: int | None = None
    async for line in _lines(chunks):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Frame("\n".join(data), number)
            data, number = [], None
        elif not field:
            yield Frame("")
        elif field == "data":
            data.append(value)
        elif field == "id" and value.isdecimal():
            number = int(value)


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    rest: list[bytes] = []  # joined once a line is whole: a preview comes in many pieces
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest.append(first)
        for other in others:
            yield b"".join(rest).removesuffix(b"\r").decode("utf-8", "replace")
            rest = [other]


def _event(frame: Frame) -> JobEvent | None:
    """The event of a frame; None where it is of a kind that only a newer client knows."""
    if not frame.data:
        return None
    try:
        return _EVENT.validate_json(frame.data)
    except ValidationError:
        return None
