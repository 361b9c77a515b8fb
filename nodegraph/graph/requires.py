"""What a document knows of the model files that it names, so that they are found under other names.

`requires.models` holds, by kind and name, `{"sha256": …, "size": bytes, "source": where it was pulled from}`.
A file that is not there by its name is looked for by its content; what is not there at all is named with
what would fix it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from nodegraph.graph.document import Document, NodeEntry, link_of, literal_of, with_values
from nodegraph.graph.literals import FileNames
from nodegraph.graph.subgraphs import type_of
from nodegraph.registry import Registry

Pair = tuple[str, str]
_HASH_LENGTH = 64


class Required(NamedTuple):
    """The content behind a name: sha256, size in bytes if it is known, and a source to pull it from."""

    sha256: str
    size: int | None
    source: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in a document."""
        entry = {"sha256": self.sha256, "size": self.size, "source": self.source or None}
        return {name: value for name, value in entry.items() if value is not None}


class ContentFiles(FileNames, Protocol):
    """Files that can be found by content, too."""

    def find_hash(self, kind: str, digest: str, size: int | None = None) -> str | None:
        """The name of a file with that content, or None."""
        ...


class RecordedFiles:
    """Files as one document knows them: `hint` says how to get one that is not there."""

    def __init__(self, files: FileNames, document: Document) -> None:
        self._files = files
        self._required = required_models(document)

    def names(self, kind: str) -> Sequence[str]:
        return self._files.names(kind)

    def has(self, kind: str, name: str) -> bool:
        return self._files.has(kind, name)

    def hint(self, kind: str, name: str) -> str:
        """What is known of a missing file, and what to do, in a sentence; empty if nothing is."""
        required = self._required.get((kind, name))
        if required is None:
            return ""
        size = f", {required.size} bytes" if required.size is not None else ""
        source = required.source or "URL"
        return (
            f"No file with its content (sha256 {required.sha256}{size}) is in {kind} either. "
            "Put it there under any name, or run: "
            f"nodegraph models pull {source} --kind {kind} --sha256 {required.sha256}"
        )


def required_models(document: Document) -> dict[Pair, Required]:
    """What the document knows of model files, by kind and name. Entries that make no sense are left out."""
    kinds = document.requires.get("models")
    found: dict[Pair, Required] = {}
    for kind, names in kinds.items() if isinstance(kinds, Mapping) else ():
        for name, entry in names.items() if isinstance(names, Mapping) else ():
            digest = entry.get("sha256") if isinstance(entry, Mapping) else None
            if not isinstance(digest, str) or len(digest) != _HASH_LENGTH:
                continue
            size, source = entry.get("size"), entry.get("source")
            found[str(kind), str(name)] = Required(
                digest.lower(),
                size if type(size) is int else None,
                source if isinstance(source, str) and source.isprintable() else "",
            )
    return found


def with_models(document: Document, models: Mapping[Pair, Required]) -> Document:
    """The document with the content of these files written down; what else it requires stays."""
    if not models:
        return document
    kinds = document.requires.get("models")
    merged: dict[str, Any] = dict(kinds) if isinstance(kinds, Mapping) else {}
    for (kind, name), required in sorted(models.items()):
        names = merged.get(kind)
        merged[kind] = {**(names if isinstance(names, Mapping) else {}), name: required.to_json()}
    return document.model_copy(update={"requires": {**document.requires, "models": merged}})


def relocate(document: Document, registry: Registry, files: ContentFiles) -> tuple[Document, list[str]]:
    """The document with missing files replaced by those of the same content, and a note for each."""
    required = required_models(document)
    if not required:
        return document, []
    mover = _Mover(document, registry, files, required)
    nodes = mover.moved(document.nodes)
    subgraphs = {
        name: entry.model_copy(update={"nodes": mover.moved(entry.nodes)})
        for name, entry in document.subgraphs.items()
    }
    if not mover.notes:
        return document, []
    changed: dict[str, Any] = {"nodes": nodes}
    if document.subgraphs:
        changed["subgraphs"] = subgraphs
    return document.model_copy(update=changed), list(mover.notes)


class _Mover:
    def __init__(
        self,
        document: Document,
        registry: Registry,
        files: ContentFiles,
        required: Mapping[Pair, Required],
    ) -> None:
        self._document, self._registry, self._files = document, registry, files
        self._required = required
        self._found: dict[Pair, str | None] = {}
        self.notes: dict[str, None] = {}

    def moved(self, nodes: Mapping[str, NodeEntry]) -> dict[str, NodeEntry]:
        """The same nodes with the names of missing files replaced."""
        places: dict[tuple[str, str], str] = {}
        for id_, entry in nodes.items():
            type_ = type_of(entry, self._document, self._registry) if isinstance(entry, NodeEntry) else None
            for input_, kind in type_.file_inputs.items() if type_ is not None else ():
                given = entry.inputs.get(input_)
                name = literal_of(given) if link_of(given) is None else None
                found = self._look(kind, name) if isinstance(name, str) else None
                if found is not None:
                    places[id_, input_] = found
                    note = f"'{name}' is not in {kind}: '{found}' has the same content and is used"
                    self.notes[note] = None
        return with_values(nodes, places)

    def _look(self, kind: str, name: str) -> str | None:
        pair = kind, name
        if pair not in self._required or self._files.has(kind, name):
            return None
        if pair not in self._found:
            required = self._required[pair]
            self._found[pair] = self._files.find_hash(kind, required.sha256, required.size)
        return self._found[pair]
