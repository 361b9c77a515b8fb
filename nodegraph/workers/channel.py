"""Messages over a socket pair: four bytes of length, then the packed record. The end of the stream is the
end of the other side.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Generic, TypeVar

from nodegraph.workers import messages

M = TypeVar("M")
_LENGTH = struct.Struct(">I")
MAX_BYTES = 256 * 2**20


class Channel(Generic[M]):
    """One side of the pair. Sending never waits; what the other side does not read is kept in memory."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decode: Callable[[bytes], M]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decode = decode

    def send(self, message: object) -> None:
        """Send a record. Nothing happens where the other side is gone: receiving tells."""
        if self._writer.is_closing():
            return
        packed = messages.encode(message)
        self._writer.write(_LENGTH.pack(len(packed)) + packed)

    async def receive(self) -> M | None:
        """The next record; None where the other side is gone, or sent something else."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_BYTES:
                return None
            return self._decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError, OSError, ValueError):
            return None

    async def flush(self) -> None:
        """Wait until everything was handed to the system."""
        await self._writer.drain()

    def close(self) -> None:
        """Say no more."""
        self._writer.close()
