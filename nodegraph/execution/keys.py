"""Merkle keys: what a node's result depends on, and nothing else.

key = blake2b over a tagged canonical encoding of (key format, node id and version, parameter values,
(input, upstream key, upstream output) …). Node ids, titles and positions in the document do not count;
a file counts by its content. Ints, floats, texts and lists carry tags and lengths, so kinds cannot collide.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

KEY_FORMAT = 1


def encode(value: Any) -> bytes:
    """A canonical, tagged, prefix-free encoding of JSON-like values. TypeError for anything else."""
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    for kind, writer in _WRITERS.items():  # a subclass, such as a mapping proxy or a string enum
        if isinstance(value, kind):
            return writer(value)
    raise TypeError(f"a {type(value).__name__} has no place in a key")


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(data), data)


def _mapping(value: Mapping[str, Any]) -> bytes:
    pairs = [part for name in sorted(value) for part in (_text(name), encode(value[name]))]
    return b"m%d:%b" % (len(value), b"".join(pairs))


def _sequence(value: Sequence[Any]) -> bytes:
    return b"l%d:%b" % (len(value), b"".join([encode(item) for item in value]))


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"n",
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"i%d;" % value,
    float: lambda value: b"d" + struct.pack(">d", value),
    str: _text,
    list: _sequence,
    tuple: _sequence,
    dict: _mapping,
    Mapping: _mapping,
}


def digest(value: Any) -> str:
    """The hex digest (160 bits) of a value's canonical encoding."""
    return hashlib.blake2b(encode(value), digest_size=20).hexdigest()


def node_key(node: str, version: int, parts: Mapping[str, Any]) -> str:
    """The key of a node with this id and version, from everything its result depends on."""
    return digest([KEY_FORMAT, node, version, parts])
