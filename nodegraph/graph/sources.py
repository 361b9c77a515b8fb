"""Where documents come from: a JSON file, a picture with a workflow inside, JSON text, or JSON data."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.document import Document
from nodegraph.graph.embedding import holds_picture, read_record
from nodegraph.graph.loading import load_document

_SUFFIXES = (".json", ".png", ".webp", ".jpg", ".jpeg")
_LONGEST_PATH = 4096


def open_document(source: Path | str | bytes | Mapping[str, Any], templates: Container[str]) -> Document:
    """The document behind a source. A text that names a file stands for the file.

    WorkflowError lists what is wrong with it, or says that there is no such file.
    """
    if isinstance(source, str) and (names_file(source) or source in templates):
        source = Path(source)
    if not isinstance(source, Path):
        return load_document(source)
    if holds_picture(source):
        return load_document(read_record(source)["document"])
    if str(source) in templates and not source.exists():
        remedy = f"Did you mean 'template:{source}'?"
        raise WorkflowError([Problem("unreadable", f"there is no file '{source}'", remedy=remedy)])
    return load_document(source)


def names_file(text: str) -> bool:
    """Whether a text is meant as a path and not as JSON: by its suffix or a separator, on one line."""
    if not text or len(text) > _LONGEST_PATH or text[0] in '{["' or text[0].isspace():
        return False
    return text.isprintable() and (text.lower().endswith(_SUFFIXES) or "/" in text or "\\" in text)
