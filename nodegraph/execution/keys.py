"""Merkle keys: what a node's result depends on, and nothing else.

key = blake2b over a canonical encoding of (key format, node id and version, parameter values, (input,
upstream key, upstream output) …). Node ids, titles and positions in the document do not count; a file counts
by its content. The encoding is JSON text with sorted names: it tells 5 from 5.0, and 1 from true and "1".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import BaseModel

KEY_FORMAT = 2


def _mapping(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__name__} has no place in a key")


encode = msgspec.json.Encoder(order="deterministic", enc_hook=_mapping).encode
"""The canonical text (UTF-8) of JSON data, mappings and records. TypeError for what has no such text."""


def digest(value: Any) -> str:
    """The hex digest (160 bits) of a value's canonical encoding."""
    return hashlib.blake2b(encode(value), digest_size=20).hexdigest()


def node_key(node: str, version: int, parts: Mapping[str, Any]) -> str:
    """The key of a node with this id and version, from everything its result depends on."""
    text = encode([KEY_FORMAT, node, version, parts])  # `digest`, without a call that every node would pay
    return hashlib.blake2b(text, digest_size=20).hexdigest()
