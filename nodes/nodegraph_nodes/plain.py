"""Numbers, text, booleans and lists as files: JSON, and plain text for a single value."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from nodegraph.codecs import json_text
from nodegraph.errors import InputError
from nodegraph.hookspecs import Exporter
from nodegraph.runtime import RunRecord


def write_json(value: object, path: Path, record: RunRecord) -> None:  # noqa: ARG001 - JSON holds the value alone
    """Write plain data as one line of JSON. InputError if something in it is none, such as a picture."""
    text = json_text(value)
    if text is None:
        raise InputError(
            "this output holds what JSON cannot", code="cannot_export",
            expected="numbers, text, true or false, and lists of them",
        )  # fmt: skip
    path.write_text(f"{text}\n", "utf-8")


def write_text(value: object, path: Path, record: RunRecord) -> None:
    """Write a text as it is, any other single value as JSON writes it."""
    if isinstance(value, str):
        path.write_text(value, "utf-8")
    else:
        write_json(value, path, record)


SINGLE = (str, bool, int, float)
EXPORTERS = [
    *(Exporter(cls, (".txt",), write_text) for cls in SINGLE),
    *(Exporter(cls, (".json",), write_json) for cls in (*SINGLE, list, tuple, dict, BaseModel)),
]
