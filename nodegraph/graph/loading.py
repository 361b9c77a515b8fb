"""Reading documents strictly: every problem is named with its place, and nothing hostile gets through."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any

import msgspec
from pydantic import ValidationError

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.document import FORMAT_VERSION, Document
from nodegraph.graph.migrate import is_known_format, migrate_data
from nodegraph.graph.structure import healthy_rest, structure_problems

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
_SHALLOW = 9  # levels that most documents do with: the decoder's table of types doubles with each
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def _nested(levels: int) -> Any:
    """The type of JSON data of at most so many levels."""
    plain: Any = str | int | float | bool | None
    nested = plain
    for _ in range(levels):
        nested = plain | GenericAlias(list, nested) | GenericAlias(dict, (str, nested))
    return nested


_shallow = msgspec.json.Decoder(_nested(_SHALLOW))


class _JsonProblemError(ValueError):
    """Raised inside the JSON parser, which knows no problems."""

    def __init__(self, code: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code, message, remedy=remedy or None)


class BrokenDocumentError(WorkflowError):
    """The structure of a document is broken. `rest` is what of it is whole, if enough is to be judged."""

    def __init__(self, problems: Iterable[Problem], rest: Document | None) -> None:
        super().__init__(problems)
        self.rest = rest


def load_document(source: Path | str | bytes | Mapping[str, Any]) -> Document:
    """Read a document from a file, from JSON text, or from JSON data. WorkflowError lists what is wrong."""
    if isinstance(source, Path):
        source = _read(source)
    if isinstance(source, str | bytes):
        return _validate(parse_json(source))
    _check_data(source)
    return _validate(source)


def parse_json(text: str | bytes) -> Any:
    """JSON data without duplicate keys, NaN, infinities, absurd size or nesting."""
    if isinstance(text, bytes):
        text = _decode(text)
    if len(text) > MAX_BYTES:
        raise WorkflowError([Problem("too_large", f"the document is larger than {MAX_BYTES >> 20} MiB")])
    text = str(text)  # Pillow reads comments as a class of its own
    data = _parse_clean(text)
    return data if data is not None else _parse_strictly(text)


def _parse_clean(text: str) -> Any:
    """The data of a text in which there is certainly nothing wrong; None where a closer look is needed.

    A key that stands twice is read once: written anew, the data has fewer colons than the text had. A colon
    that was escaped would be one more.
    """
    try:
        data = _shallow.decode(text)
    except (ValueError, RecursionError):  # half of a character counts as a ValueError too
        return None
    whole = "\\u003" not in text and msgspec.json.encode(data).count(b":") == text.count(":")
    return data if whole else None


def _parse_strictly(text: str) -> Any:
    try:
        data = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite_float
        )
    except _JsonProblemError as error:
        raise WorkflowError([error.problem]) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WorkflowError([Problem("bad_json", f"this is not JSON: {error.msg} at {place}")]) from None
    except RecursionError:
        raise WorkflowError([_too_deep()]) from None
    except ValueError as error:  # an integer of thousands of digits
        raise WorkflowError([Problem("bad_json", f"this is not JSON: {error}")]) from None
    _check_depth(data)
    if _SURROGATE.search(text):
        _check_data(data)
    return data


def _decode(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"this is not JSON: it is not UTF-8 at byte {error.start}"
        raise WorkflowError([Problem("bad_json", message)]) from None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WorkflowError([Problem("too_large", f"'{path}' is larger than {MAX_BYTES >> 20} MiB")])
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkflowError(
            [
                Problem(
                    "unreadable", f"the workflow '{path}' cannot be read: {reason}", remedy="Check the path."
                )
            ]
        ) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _JsonProblemError("duplicate_key", f"the key '{key}' stands twice in one object")
            seen.add(key)
    return result


def _no_constant(name: str) -> float:
    raise _JsonProblemError("not_a_number", f"{name} is not a value", "Write a finite number.")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _JsonProblemError("not_a_number", f"the number {text} is too large", "Write a finite number.")
    return number


def _too_deep() -> Problem:
    return Problem("too_deep", f"the document is nested more than {MAX_DEPTH} levels deep")


def _check_depth(data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        level = [item for item in level if isinstance(item, Mapping | list)]
        if not level:
            return
        level = [child for item in level for child in (item.values() if isinstance(item, Mapping) else item)]
    raise WorkflowError([_too_deep()])


def _check_data(data: Any) -> None:
    """Refuse data that JSON text cannot hold: NaN, half characters, and values that are no JSON at all."""
    _check_depth(data)
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False, default=_plain).encode()
    except UnicodeEncodeError:
        message = "a text holds half of a character (a lone surrogate)"
        raise WorkflowError([Problem("bad_text", message)]) from None
    except (TypeError, ValueError) as error:
        raise WorkflowError([Problem("bad_json", f"this cannot be written as JSON: {error}")]) from None


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _validate(data: Any) -> Document:
    if not isinstance(data, Mapping):
        found = "a list" if isinstance(data, list) else repr(data)[:40]
        raise WorkflowError(
            [
                Problem(
                    "not_a_workflow",
                    "a workflow is a JSON object",
                    expected='{"nodegraph": 1, …}',
                    found=found,
                )
            ]
        )
    version = data.get("nodegraph")
    if version is None:
        raise WorkflowError([_no_version(data)])
    if not is_known_format(version):
        raise WorkflowError(
            [
                Problem(
                    "document_version", "the document has a format version that this nodegraph does not read",
                    expected=" or ".join(map(str, range(1, FORMAT_VERSION + 1))), found=repr(version),
                    remedy="Update nodegraph.",
                )
            ]
        )  # fmt: skip
    data = migrate_data(data)
    try:
        return Document.model_validate(data)
    except ValidationError as error:
        raise BrokenDocumentError(structure_problems(error), healthy_rest(data, error)) from None


def _no_version(data: Mapping[str, Any]) -> Problem:
    remedy = 'Add "nodegraph": 1.'
    if any(isinstance(node, Mapping) and "class_type" in node for node in data.values()):
        remedy = "It looks like a ComfyUI prompt, which this version cannot import."
    return Problem("document_version", "the document has no format version", remedy=remedy)
