"""The memory of saved files: which effect (key of a save node) already lies in which files.

A save node runs again unless every file that it once wrote still lies there unchanged (size and time). The
memory survives restarts; a damaged one costs a second copy of a file, never a missing one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nodegraph.execution.files import write_whole
from nodegraph.runtime import Artifact


class SavedFiles:
    """Artifacts by the key of the node that saved them. Thread-safe."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._rows: dict[str, list[dict[str, Any]]] = self._read()

    def __contains__(self, key: object) -> bool:
        rows = self._rows.get(key) if isinstance(key, str) else None
        return bool(rows) and all(_unchanged(row) for row in rows or ())

    def get(self, key: str) -> list[Artifact]:
        """The artifacts under a key; empty if there are none."""
        return [
            Artifact(Path(row["path"]), row["media_type"], row["size"]) for row in self._rows.get(key, [])
        ]

    def put(self, key: str, artifacts: Sequence[Artifact]) -> None:
        """Remember what a node saved."""
        with self._lock:
            self._rows[key] = [
                {
                    "path": str(artifact.path),
                    "media_type": artifact.media_type,
                    "size": artifact.size,
                    "time": artifact.path.stat().st_mtime_ns,
                }
                for artifact in artifacts
            ]
            if self._memory is not None:
                text = json.dumps(self._rows)
                write_whole(self._memory, lambda path: _write_text(path, text))

    def _read(self) -> dict[str, list[dict[str, Any]]]:
        if self._memory is None or not self._memory.is_file():
            return {}
        try:
            rows = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return {}
        return rows if isinstance(rows, dict) else {}


def _unchanged(row: dict[str, Any]) -> bool:
    try:
        status = Path(row["path"]).stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (row["size"], row["time"])


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)
