"""Codecs: every value that crosses an edge <-> (JSON meta, name -> tensor).

The meta is self-describing: `{"$": "latent", ...}` is a value class by tag, `{"$tensor": name}` a tensor,
`{"$tuple": [...]}` a tuple; everything else is JSON. Value classes are frozen dataclasses, so their fields
are their codec; a class that is not registered cannot be decoded, and nothing is ever unpickled. The bytes
container (safetensors, shared memory) is somebody else's: see `TensorStore`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from nodegraph import values
from nodegraph.errors import DeclarationError, brief
from nodegraph.sockets import ValueType

JSON_LEAVES = (bool, int, float, str, type(None))
_MOST_SHAPES = 8


class TensorStore(Protocol):
    """A container of named tensors, such as a safetensors file."""

    def write(self, path: Path, tensors: Mapping[str, Any], meta: str) -> None:
        """Write all tensors to a safetensors file, with the meta text as its metadata `nodegraph`."""
        ...

    def read(self, path: Path) -> tuple[Mapping[str, Any], str]:
        """The tensors and the meta text of a file. Raises InputError on a torn or foreign one."""
        ...

    def digest(self, tensor: Any) -> str:
        """A digest of a tensor's dtype, shape and content."""
        ...


def is_tensor(value: object) -> bool:
    """Whether this is a torch tensor, told without importing torch."""
    return _is_tensor_class(type(value))  # type: ignore[arg-type] # every class is hashable


@lru_cache(maxsize=256)
def _is_tensor_class(cls: type) -> bool:
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in cls.__mro__)


@dataclass(frozen=True)
class Encoded:
    """A value in pieces: `meta` is JSON, `tensors` are named in reading order (`0`, `1`, …)."""

    meta: Any
    tensors: Mapping[str, Any]


class Codecs:
    """The classes that may cross an edge, by tag."""

    def __init__(self, classes: Sequence[type]) -> None:
        self._by_tag: dict[str, type] = {}
        self._classes: Mapping[str, type] = {}
        for cls in classes:
            self.register(cls)

    def register(self, cls: type) -> None:
        """Add a frozen dataclass. DeclarationError if it is not one or its name is taken."""
        if not is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise DeclarationError(f"{cls.__name__} must be a frozen dataclass to cross an edge")
        tag = cls.__name__
        if self._by_tag.get(tag, cls) is not cls:
            raise DeclarationError(f"two value classes are named {tag}", remedy="Rename one of them.")
        self._by_tag[tag] = cls

    def classes(self) -> Mapping[str, type]:
        """The classes by their names as socket types: `TextEncoder` is `text_encoder`."""
        if len(self._classes) != len(self._by_tag):
            self._classes = {ValueType(cls).name: cls for cls in self._by_tag.values()}
        return self._classes

    def copy(self) -> Codecs:
        """The same classes, in a table that can grow on its own."""
        return Codecs(list(self._by_tag.values()))

    def encode(self, value: object) -> Encoded:
        """Take a value apart. DeclarationError names a class that has no codec."""
        tensors: dict[str, Any] = {}
        return Encoded(self._encode(value, tensors), tensors)

    def decode(self, encoded: Encoded) -> Any:
        """Put a value together again."""
        return self._decode(encoded.meta, encoded.tensors)

    def _encode(self, value: object, tensors: dict[str, Any]) -> Any:
        if isinstance(value, JSON_LEAVES):
            return value
        if is_tensor(value):
            name = str(len(tensors))
            tensors[name] = value
            return {"$tensor": name}
        if self._by_tag.get(type(value).__name__) is type(value) and is_dataclass(value):
            parts = {field.name: self._encode(getattr(value, field.name), tensors) for field in fields(value)}
            return {"$": type(value).__name__, **parts}
        if isinstance(value, tuple):
            return {"$tuple": [self._encode(item, tensors) for item in value]}
        if isinstance(value, list):
            return [self._encode(item, tensors) for item in value]
        if isinstance(value, Mapping):
            return {"$map": [[key, self._encode(item, tensors)] for key, item in value.items()]}
        raise DeclarationError(
            f"a value of class {type(value).__name__} cannot cross an edge",
            remedy="Return a registered value class, or register this one in `register_values`.",
        )

    def _decode(self, meta: Any, tensors: Mapping[str, Any]) -> Any:
        if isinstance(meta, list):
            return [self._decode(item, tensors) for item in meta]
        if not isinstance(meta, dict):
            return meta
        if "$tensor" in meta:
            return tensors[meta["$tensor"]]
        if "$tuple" in meta:
            return tuple(self._decode(item, tensors) for item in meta["$tuple"])
        if "$map" in meta:
            return {key: self._decode(item, tensors) for key, item in meta["$map"]}
        cls = self._by_tag.get(meta.get("$", ""))
        if cls is None:
            raise DeclarationError(f"no value class is named {meta.get('$')!r}")
        return cls(**{name: self._decode(item, tensors) for name, item in meta.items() if name != "$"})


def builtin_codecs() -> Codecs:
    """Codecs of the value classes that come with nodegraph."""
    return Codecs(
        [
            values.Image, values.Mask, values.LatentFormat, values.Latent, values.ConditioningEntry,
            values.Conditioning, values.Sigmas, values.ModelFile, values.Patch, values.Recipe, values.Model,
            values.TextEncoder, values.Vae, values.NoiseSchedule, values.Area, values.Noise, values.Sampler,
            values.Guider,
        ]
    )  # fmt: skip


def json_text(value: object) -> str | None:
    """Plain data (numbers, text, booleans, records, and lists and mappings of them) as JSON text.

    None where something in it is no plain data, or a number that JSON cannot hold.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_record_fields)
    except (TypeError, ValueError):
        return None


def _record_fields(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)


def tensors_in(value: object) -> Iterator[Any]:
    """Every tensor inside a value, in reading order."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, JSON_LEAVES):
            continue
        if is_tensor(item):
            yield item
        elif is_dataclass(item) and not isinstance(item, type):
            stack.extend(getattr(item, field.name) for field in reversed(fields(item)))
        elif isinstance(item, tuple | list):
            stack.extend(reversed(item))
        elif isinstance(item, Mapping):
            stack.extend(reversed(list(item.values())))


def describe_value(value: object) -> str:
    """A value in a few words: shapes and counts, not data."""
    if isinstance(value, JSON_LEAVES):
        return brief(value)
    name = type(value).__name__
    if isinstance(value, list | tuple | Mapping):
        name = f"{name} of {len(value)}"
    shapes = [str(list(tensor.shape)) for tensor in islice(tensors_in(value), _MOST_SHAPES + 1)]
    if len(shapes) > _MOST_SHAPES:
        shapes[_MOST_SHAPES:] = ["..."]
    return f"{name} {' '.join(shapes)}" if shapes else name
