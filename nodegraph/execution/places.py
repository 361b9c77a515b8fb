"""Where an engine's files lie: models by kind, pictures that are read, pictures that were made."""

from __future__ import annotations

import logging
from pathlib import Path

from nodegraph.modelfiles.config import model_folders
from nodegraph.modelfiles.folder_layouts import merge
from nodegraph.modelfiles.index import FileIndex
from nodegraph.registry import Registry

log = logging.getLogger(__name__)


def file_index(data_dir: Path, outputs: Path, registry: Registry) -> FileIndex:
    """The index over the folders of a data directory, those that its configuration names, and the packs'.

    What the configuration names and cannot be used is logged. InputError if it cannot be read.
    """
    found = model_folders(data_dir)
    for note in found.notes:
        log.warning("%s", note)
    own = {**found.folders, "images": [data_dir / "inputs", outputs]}
    folders = merge(own, {kind: list(paths) for kind, paths in registry.folders.items()})
    return FileIndex(folders, data_dir / "file_index.sqlite")
