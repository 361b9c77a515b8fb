"""Where an engine's files lie: models by kind, pictures that are read, pictures that were made."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from nodegraph.graph.requires import Pair, Required
from nodegraph.modelfiles.config import model_folders
from nodegraph.modelfiles.folder_layouts import merge
from nodegraph.modelfiles.index import FileIndex
from nodegraph.modelfiles.kinds import MODEL_KINDS
from nodegraph.registry import Registry

log = logging.getLogger(__name__)


def file_index(data_dir: Path, outputs: Path, registry: Registry, *, allow_paths: bool = True) -> FileIndex:
    """The index over the folders of a data directory, those that its configuration names, and the packs'.

    What the configuration names and cannot be used is logged. InputError if it cannot be read. Without
    allow_paths no name leads to a file elsewhere; links that lie in the folders still do.
    """
    found = model_folders(data_dir)
    for note in found.notes:
        log.warning("%s", note)
    own = {**found.folders, "images": [data_dir / "inputs", outputs]}
    folders = merge(own, {kind: list(paths) for kind, paths in registry.folders.items()})
    memory = data_dir / "file_index.sqlite"
    return FileIndex(folders, memory, allow_paths=allow_paths, follow_links=True)


def contents(files: FileIndex, named: Iterable[Pair]) -> dict[Pair, Required]:
    """What is known of the content of these model files, for a document to remember."""
    found: dict[Pair, Required] = {}
    for kind, name in named:
        path = files.find(kind, name) if kind in MODEL_KINDS else None
        digest = files.known(kind, name) if path is not None else None
        if path is not None and digest is not None:
            found[kind, name] = Required(digest, path.stat().st_size, files.memory.source(digest))
    return found
