"""Read and validate the header of a safetensors file, without torch and without reading any weights.

The format (github.com/huggingface/safetensors, "Format"): 8 bytes little-endian length N, N bytes of JSON
`{name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {text: text}}`, then the data.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.foreign import foreign_format

MAX_HEADER_BYTES = 100_000_000
"""The limit of the reference implementation; real headers are below a megabyte."""

DTYPE_BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of one element of every dtype the format defines."""

DOWNLOAD_AGAIN = "Download the file again."


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor of a file: dtype as the format names it, shape, and where its bytes lie in the data.

    shard and start: the file that holds it and where that file's data start, if the model has several.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int
    shard: Path | None = None
    start: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file holds. `path` is for messages and for reading the data later.

    data_start: the byte of the file at which offsets of tensors begin to count; 0 if there is no file.
    """

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str] = field(default_factory=dict)
    data_start: int = 0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor by name."""
        return {name: info.shape for name, info in self.tensors.items()}

    def place_of(self, name: str) -> tuple[Path, int]:
        """The file that holds a tensor, and the byte where its data begin; 0 if there is no file."""
        info = self.tensors[name]
        if info.shard is not None:
            return info.shard, info.start + info.begin
        return self.path, self.data_start + info.begin if self.data_start else 0


def read_header(path: Path) -> Header:
    """The validated header of a safetensors file.

    Raises ModelFileError with code `model_file_not_found`, `model_file_unreadable`, `model_file_foreign`,
    `model_file_damaged` or `model_file_truncated`; each says what was found and what to do.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            head = file.read(64)
            length = _header_length(path, head, size)
            file.seek(8)
            text = file.read(length)
    except FileNotFoundError:
        raise ModelFileError(
            f"there is no file {path}", code="model_file_not_found", remedy="Check the name and the folder."
        ) from None
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read: {error.strerror or error}",
            code="model_file_unreadable",
            remedy="Check that it is a file and that you may read it.",
        ) from error
    entries = _parse(path, text, head)
    metadata = _metadata(path, entries.pop("__metadata__", None))
    tensors = {name: _tensor(path, name, entry) for name, entry in entries.items()}
    _check_extent(path, tensors, size - 8 - length)
    return Header(path, tensors, metadata, 8 + length)


def _header_length(path: Path, head: bytes, size: int) -> int:
    """The length of the JSON header, judged before anything that large is read."""
    if size == 0:
        raise _damaged(path, "is empty")
    if size < 8:
        raise _foreign_or_damaged(path, head, f"has {size} bytes, too few for a safetensors file")
    length = int(struct.unpack("<Q", head[:8])[0])
    if length > MAX_HEADER_BYTES or length < 2:
        raise _foreign_or_damaged(path, head, f"is no safetensors file: its header would have {length} bytes")
    if 8 + length > size:
        # A foreign file can begin like a plausible length; what follows tells it apart from a torn one.
        if not head[8:].startswith(b"{"):
            raise _foreign_or_damaged(path, head, "is no safetensors file")
        raise _truncated(path, f"its header alone needs {8 + length} bytes, the file has {size}")
    return length


def _parse(path: Path, text: bytes, head: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError; nesting can exhaust the stack
        raise _foreign_or_damaged(path, head, "is no safetensors file: its header is not JSON") from None
    if not isinstance(entries, dict):
        raise _foreign_or_damaged(path, head, "is no safetensors file: its header is not a JSON object")
    return entries


def _metadata(path: Path, value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _damaged(path, "is damaged: its metadata is not a table of texts")
    return value


def _tensor(path: Path, name: str, entry: object) -> TensorInfo:
    fields = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not (isinstance(dtype, str) and _is_sizes(shape) and _is_sizes(offsets) and len(offsets) == 2):
        raise _damaged(path, f"is damaged: tensor '{name}' lacks a proper dtype, shape or data_offsets")
    if dtype not in DTYPE_BITS:
        raise _damaged(path, f"cannot be read: tensor '{name}' has the unknown dtype '{dtype}'")
    begin, end = offsets
    bits = math.prod(shape) * DTYPE_BITS[dtype]
    if bits % 8 or end - begin != bits // 8:
        raise _damaged(
            path,
            f"is damaged: tensor '{name}' of {dtype} {list(shape)} needs {bits / 8:g} bytes, "
            f"its offsets span {end - begin}",
        )
    return TensorInfo(dtype, tuple(shape), begin, end)


def _is_sizes(value: object) -> TypeGuard[list[int]]:
    """Whether a JSON value is a list of non-negative integers (true is no integer here)."""
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _check_extent(path: Path, tensors: Mapping[str, TensorInfo], available: int) -> None:
    """Tensors must lie end to end and fill the data, as the format demands (no overlap, no hidden bytes)."""
    position = 0
    for name, info in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if info.begin != position:
            raise _damaged(
                path,
                f"is damaged: tensor '{name}' begins at byte {info.begin} of the data, expected {position}",
            )
        position = info.end
    if position > available:
        raise _truncated(path, f"its tensors need {position} bytes, the file has {max(available, 0)}")
    if position < available:
        raise _damaged(path, f"is damaged: {available - position} bytes after the last tensor belong to none")


def _truncated(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is incomplete: {reason}", code="model_file_truncated", remedy=DOWNLOAD_AGAIN
    )


def _damaged(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"{path} {reason}", code="model_file_damaged", remedy=DOWNLOAD_AGAIN)


def _foreign_or_damaged(path: Path, head: bytes, reason: str) -> ModelFileError:
    foreign = foreign_format(head)
    if foreign is None:
        remedy = "Choose a .safetensors file; if this should be one, download it again."
        return ModelFileError(f"{path} {reason}", code="model_file_damaged", remedy=remedy)
    return ModelFileError(
        f"{path} is not a safetensors file",
        code="model_file_foreign",
        expected="safetensors",
        found=foreign.name,
        remedy=foreign.remedy_for(path),
    )
