"""Files of the server on this machine: streamed, compared, and put in their place whole."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from pathlib import Path
from typing import IO

from nodegraph.client.errors import ServerError
from nodegraph.client.patience import LOST
from nodegraph.client.transport import Transport
from nodegraph.errors import InputError
from nodegraph.wire.jobs import ArtifactView, FileView

_PIECE = 2**20


async def download(transport: Transport, file: FileView | ArtifactView | str, target: Path) -> None:
    """Write a file of the server to a path, whole or not at all; what lies there is replaced.

    InputError: the path cannot be written, or the address is another server's. ServerError: there is no such
    file, or what came is not what it should be.
    """
    path = _path(transport.url, file if isinstance(file, str) else file.url)
    part = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        size, digest = await _receive(transport, path, part)
        _compare(file, size, digest)
        await asyncio.to_thread(part.replace, target)
    except OSError as error:
        raise InputError(
            f"'{target}' cannot be written: {error.strerror or error}", code="unwritable",
            remedy="Choose another place, or free its permissions.",
        ) from error  # fmt: skip
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)


async def _receive(transport: Transport, path: str, part: Path) -> tuple[int, str]:
    """Fetch a file, from its beginning again where the connection broke; its size and digest."""
    tries = transport.tries()
    while True:
        with await asyncio.to_thread(part.open, "wb") as sink:
            try:
                return await _fill(transport, path, sink)
            except LOST as error:
                await tries.pause(error)


async def _fill(transport: Transport, path: str, sink: IO[bytes]) -> tuple[int, str]:
    digest = hashlib.blake2b(digest_size=20)
    size = 0
    async with transport.request("GET", path) as response:
        async for piece in response.content.iter_chunked(_PIECE):
            digest.update(piece)
            size += len(piece)
            await asyncio.to_thread(sink.write, piece)
    return size, digest.hexdigest()


def _compare(file: FileView | ArtifactView | str, size: int, digest: str) -> None:
    """ServerError where size or content are not those that the server told."""
    if isinstance(file, str):
        return
    told = file.hash if isinstance(file, FileView) else digest
    if (size, digest) != (file.size, told):
        raise ServerError(
            200, "the file that came is not the one that the server told of", code="damaged",
            remedy="Fetch it again; if it stays so, the server's copy is damaged: run the job again.",
        )  # fmt: skip


def _path(server: str, url: str) -> str:
    """The part of an address behind that of the server: its token goes nowhere else."""
    path = url.removeprefix(server)
    if not path.startswith("/") or path.startswith("//"):
        raise InputError(f"'{url}' is no file of {server}", code="foreign_address", input="file")
    return path


def read_picture(path: Path) -> bytes:
    """The bytes of a file to upload. InputError: it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read: {error.strerror or error}", code="unreadable", input="picture"
        ) from None
