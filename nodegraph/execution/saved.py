"""The memory of saved files: which effect (key of a save node) already lies in which files.

A save node runs again unless every file that it once wrote still lies there unchanged (size and time). The
memory is a log of JSON lines that survives restarts and is shared by processes; a torn or foreign line costs
a second copy of a file, never a missing one.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nodegraph.runtime import Artifact

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Saved:
    """One file as it was when it had been saved."""

    artifact: Artifact
    time: int

    def unchanged(self) -> bool:
        """Whether the file still lies there as it was."""
        try:
            status = self.artifact.path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.artifact.size, self.time)


class SavedFiles:
    """Artifacts by the key of the node that saved them. Thread-safe."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._files: dict[str, list[_Saved]] = dict(_read(memory)) if memory is not None else {}

    def __contains__(self, key: object) -> bool:
        files = self._files.get(key) if isinstance(key, str) else None
        return bool(files) and all(file.unchanged() for file in files or ())

    def get(self, key: str) -> list[Artifact]:
        """The artifacts under a key; empty if there are none."""
        return [file.artifact for file in self._files.get(key, ())]

    def put(self, key: str, artifacts: Sequence[Artifact]) -> None:
        """Remember what a node saved."""
        try:
            files = [_Saved(artifact, artifact.path.stat().st_mtime_ns) for artifact in artifacts]
        except FileNotFoundError:
            return  # somebody took the file away at once: it is not there to be found again
        with self._lock:
            self._files[key] = files
            self._append(key, files)

    def _append(self, key: str, files: Sequence[_Saved]) -> None:
        if self._memory is None:
            return
        rows = [
            [str(file.artifact.path), file.artifact.media_type, file.artifact.size, file.time]
            for file in files
        ]
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            with self._memory.open("a", encoding="utf-8") as lines:
                lines.write(f"\n{json.dumps([key, rows])}")  # a torn line before this one stays alone
        except OSError as error:
            log.warning("what was saved cannot be remembered: %s", error)


def _read(memory: Path) -> Iterator[tuple[str, list[_Saved]]]:
    try:
        lines = memory.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            key, rows = json.loads(line)
            files = [
                _Saved(Artifact(Path(path), str(kind), int(size)), int(time))
                for path, kind, size, time in rows
            ]
        except (ValueError, TypeError):
            continue
        if isinstance(key, str):
            yield key, files
