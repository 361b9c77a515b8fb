"""Sealed files: safetensors files that carry a digest of all their bytes, so that any damage is seen.

The metadata entry `nodegraph` of the file is `nodegraph-cache:`, a digest of 40 hex digits and a JSON text.
The digest is blake2b over the whole file with zeros in its own place (as in the header of a tar file), so a
flipped bit anywhere, a missing tail or an added one breaks the seal. A file without tensors is written and
read here, without torch; tensors go through a `TensorStore`.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from nodegraph.codecs import Encoded, TensorStore
from nodegraph.errors import InputError
from nodegraph.modelfiles.safetensors_header import read_header

METADATA = "nodegraph"
_MARK = b"nodegraph-cache:"
_OPEN = b"0" * 40  # where the digest will stand
_CHUNK = 2**20
_MAX_HEADER = 2**26


def write_sealed(path: Path, encoded: Encoded, about: Mapping[str, Any], tensors: TensorsOf) -> None:
    """Write a value in pieces, and `about` (JSON) beside it. `tensors` gives the store if it is needed."""
    text = json.dumps({**about, "value": encoded.meta}, separators=(",", ":"))
    marked = f"{_MARK.decode()}{_OPEN.decode()}{text}"
    if encoded.tensors:
        tensors().write(path, encoded.tensors, marked)
    else:
        path.write_bytes(_without_tensors(marked))
    with path.open("r+b") as file:
        place = _place(file)
        digest = _digest(file, place)
        file.seek(place)
        file.write(digest)


def read_sealed(path: Path, tensors: TensorsOf) -> tuple[Encoded, dict[str, Any]]:
    """The value in pieces and what was written about it. InputError if the seal is broken or missing."""
    with path.open("rb") as file:
        place = _place(file)
        file.seek(place)
        if file.read(len(_OPEN)) != _digest(file, place):
            raise _broken(path, "its seal does not fit its content")
    header = read_header(path)
    about = _about(path, header.metadata.get(METADATA, ""))
    found = tensors().read(path)[0] if header.tensors else {}
    return Encoded(about.pop("value"), found), about


def read_about(path: Path) -> dict[str, Any]:
    """What was written about a value, from the header alone, the seal unchecked. InputError if foreign."""
    about = _about(path, read_header(path).metadata.get(METADATA, ""))
    about.pop("value")
    return about


TensorsOf = Callable[[], TensorStore]


def _about(path: Path, text: str) -> dict[str, Any]:
    start = len(_MARK) + len(_OPEN)
    try:
        about = json.loads(text[start:])
    except ValueError:
        raise _broken(path, "it was not written by the cache") from None
    if not isinstance(about, dict) or "value" not in about:
        raise _broken(path, "it was not written by the cache")
    return about


def _without_tensors(text: str) -> bytes:
    header = json.dumps({"__metadata__": {METADATA: text}}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header


def _place(file: BinaryIO) -> int:
    """Where the digest stands: behind the first mark in the header. InputError if there is none."""
    file.seek(0)
    head = file.read(8)
    length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
    found = file.read(min(length, _MAX_HEADER)).find(_MARK)
    if found < 0:
        raise _broken(Path(file.name), "it has no seal")
    return 8 + found + len(_MARK)


def _digest(file: BinaryIO, place: int) -> bytes:
    """The digest of a file as it was before it was sealed."""
    file.seek(0)
    digest = hashlib.blake2b(file.read(place), digest_size=len(_OPEN) // 2)
    digest.update(_OPEN)
    file.seek(len(_OPEN), 1)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest().encode()


def _broken(path: Path, reason: str) -> InputError:
    return InputError(f"'{path}' is no entry of the cache: {reason}", code="broken_entry")
