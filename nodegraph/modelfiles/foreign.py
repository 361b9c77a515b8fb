"""Recognise what a file is when it is not safetensors, so that the error can name it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

_CONVERT = "{convert}"


def convert_command(*paths: Path) -> str:
    """What their owner types to convert these pickles: the only way to have them opened."""
    return f"nodegraph models convert {shlex.join(map(str, paths))}"


class Foreign(NamedTuple):
    """Another format: what the file is, and what its owner can do."""

    name: str
    remedy: str

    def remedy_for(self, path: Path) -> str:
        """What the owner of this very file can do."""
        return self.remedy.replace(_CONVERT, convert_command(path))


_PICKLE = Foreign(
    "a PyTorch pickle (.ckpt, .pt, .bin)",
    "Pickles can run code when they are opened, so they are never loaded: "
    "get the safetensors version of this model, "
    f"or, if you trust the file, convert it and choose what comes of it: {_CONVERT}",
)
_PAGE = Foreign(
    "a web page",
    "The download saved a page instead of the model (often a login or licence page): download it again.",
)
_POINTER = Foreign(
    "a Git LFS pointer",
    "It names the real file without holding it: run 'git lfs pull' or download the file itself.",
)
_GGUF = Foreign("a GGUF file", "GGUF is not supported: get the safetensors version of this model.")
_HDF5 = Foreign("an HDF5 file", "HDF5 is not supported: get the safetensors version of this model.")
_ARCHIVE = Foreign("a compressed archive", "Unpack it and use the .safetensors file inside.")
_JSON = Foreign(
    "a JSON text",
    "Choose a model file; if this should be one, the download saved a message: download it again.",
)
_PICTURE = Foreign("a picture", "Choose a model file (.safetensors).")

_MAGIC: tuple[tuple[bytes, Foreign], ...] = (
    (b"PK\x03\x04", _PICKLE),  # torch.save writes a zip around its pickle
    (b"\x80\x02", _PICKLE),
    (b"\x80\x03", _PICKLE),
    (b"\x80\x04", _PICKLE),
    (b"\x80\x05", _PICKLE),
    (b"GGUF", _GGUF),
    (b"\x89HDF\r\n\x1a\n", _HDF5),
    (b"\x1f\x8b", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"version https://git-lfs", _POINTER),
)


def foreign_format(head: bytes) -> Foreign | None:
    """The format whose magic bytes begin a file, or None. Give it at least the first 64 bytes.

    Ask only about files whose safetensors header is bad: a header length can look like any magic.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return _PAGE
    return _JSON if re.match(rb'[{\[]\s*["{]', text) else None
