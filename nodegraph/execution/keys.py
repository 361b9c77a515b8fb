"""Merkle keys: what a node's result depends on, and nothing else.

key = blake2b over a tagged canonical encoding of (key format, node id and version, parameter values,
(input, upstream key, upstream output) …). Node ids, titles and positions in the document do not count;
a file counts by its content. Ints, floats, texts and lists carry tags and lengths, so kinds cannot collide.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

KEY_FORMAT = 1


def encode(value: Any) -> bytes:
    """A canonical, tagged, prefix-free encoding of JSON-like values. TypeError for anything else."""
    if value is None:
        return b"n"
    if value is True:
        return b"t"
    if value is False:
        return b"f"
    if isinstance(value, int):
        return b"i%d;" % value
    if isinstance(value, float):
        return b"d" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return b"s%d:" % len(data) + data
    if isinstance(value, Mapping):
        items = sorted(value.items())
        return b"m%d:" % len(items) + b"".join(encode(key) + encode(item) for key, item in items)
    if isinstance(value, Sequence):
        return b"l%d:" % len(value) + b"".join(map(encode, value))
    raise TypeError(f"a {type(value).__name__} has no place in a key")


def digest(value: Any) -> str:
    """The hex digest (160 bits) of a value's canonical encoding."""
    return hashlib.blake2b(encode(value), digest_size=20).hexdigest()


def node_key(node: str, version: int, parts: Mapping[str, Any]) -> str:
    """The key of a node with this id and version, from everything its result depends on."""
    return digest([KEY_FORMAT, node, version, parts])
