"""Where documents come from: a JSON file, a picture with a workflow inside, JSON text, or JSON data."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.binding import problems_of
from nodegraph.graph.document import Document
from nodegraph.graph.embedding import holds_picture, read_record
from nodegraph.graph.literals import FileNames
from nodegraph.graph.loading import BrokenDocumentError, load_document
from nodegraph.graph.migrate import migrate_nodes
from nodegraph.registry import Registry

_SUFFIXES = (".json", ".png", ".webp", ".jpg", ".jpeg")
_LONGEST_PATH = 4096


def open_document(
    source: Path | str | bytes | Mapping[str, Any], registry: Registry, files: FileNames
) -> Document:
    """The document behind a source, its nodes brought to the newest versions of their types.

    A text that names a file stands for the file. WorkflowError lists what is wrong: where the structure is
    broken somewhere, with the problems of what is whole; or it says that there is no such file.
    """
    try:
        document = _load(source, registry.templates)
    except BrokenDocumentError as error:
        beside = _problems_beside(error.rest, registry, files) if error.rest is not None else ()
        raise WorkflowError([*error.problems, *beside]) from None
    return migrate_nodes(document, registry)


def _problems_beside(rest: Document, registry: Registry, files: FileNames) -> Sequence[Problem]:
    try:
        return problems_of(migrate_nodes(rest, registry), registry, files)
    except WorkflowError as error:
        return error.problems


def _load(source: Path | str | bytes | Mapping[str, Any], templates: Container[str]) -> Document:
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
