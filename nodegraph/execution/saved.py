"""The memory of saved files: which effect (key of a save node) already lies in which files.

A save node runs again unless every file that it once wrote still lies there unchanged (size and time). The
memory is a log of JSON lines that survives restarts and is shared by processes; a torn or foreign line costs
a second copy of a file, never a missing one. A log that has doubled is written anew without what is no
longer true: under the lock under which every line is added, and by a rename, so that no process loses a line
and one that is killed leaves the log as it was.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nodegraph.runtime import Artifact

log = logging.getLogger(__name__)
_PATIENCE = 60  # seconds to wait for another process that writes
_SMALL = 1024  # lines that are not worth the work
_KEPT = "lines"  # in the first line of a log that was written anew: how many lines it had then


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


@dataclass(frozen=True, slots=True)
class _Log:
    """What a log holds: the last word on every key, how many lines it has, and how many are too many."""

    files: Mapping[str, list[_Saved]]
    lines: int
    limit: int


class SavedFiles:
    """Artifacts by the key of the node that saved them. Thread-safe.

    `small` is how many lines a log may have before anybody asks whether it has doubled.
    """

    def __init__(self, memory: Path | None = None, small: int = _SMALL) -> None:
        self._memory = memory
        self._small = small
        self._lock = threading.Lock()
        found = _read(memory, small) if memory is not None else _Log({}, 0, small)
        self._files = dict(found.files)
        self._lines, self._limit = found.lines, found.limit

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
            if self._memory is not None:
                self._remember(self._memory, _line(key, files))

    def _remember(self, memory: Path, line: str) -> None:
        """Add a line to the log, and write the log anew where it has doubled."""
        import filelock  # only who writes needs it

        try:
            memory.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(memory.with_name(f".{memory.name}.lock"), timeout=_PATIENCE):
                with memory.open("a", encoding="utf-8") as lines:
                    lines.write(f"\n{line}")  # a torn line before this one stays alone
                self._lines += 1
                if (
                    self._lines >= self._limit
                ):  # as far as we know: others may have added to it or shortened it
                    self._lines, self._limit = _compact(memory, self._small)
        except OSError as error:
            log.warning("what was saved cannot be remembered: %s", error)


def _compact(memory: Path, small: int) -> tuple[int, int]:
    """Write a log anew if it has doubled; its lines, and how many are too many. For who holds the lock."""
    found = _read(memory, small)
    if found.lines < found.limit:
        return found.lines, found.limit
    kept = [_line(key, files) for key, files in found.files.items() if all(one.unchanged() for one in files)]
    new = memory.with_name(f".{memory.name}.new")  # one name, so that killed writers leave no litter
    with new.open("w", encoding="utf-8") as lines:
        lines.write("\n".join([json.dumps({_KEPT: len(kept)}), *kept]))
        lines.flush()
        os.fsync(lines.fileno())
    new.replace(memory)
    return len(kept), _limit(len(kept), small)


def _limit(kept: int, small: int) -> int:
    return max(small, 2 * kept)


def _line(key: str, files: Sequence[_Saved]) -> str:
    rows = [
        [str(file.artifact.path), file.artifact.media_type, file.artifact.size, file.time] for file in files
    ]
    return json.dumps([key, rows])


def _read(memory: Path, small: int) -> _Log:
    files: dict[str, list[_Saved]] = {}
    count, limit = 0, small
    try:
        lines = memory.read_text("utf-8", "replace").splitlines()
    except OSError:
        return _Log(files, count, limit)
    for line in lines:
        try:
            data = json.loads(line)
            if isinstance(data, dict):
                limit = _limit(int(data[_KEPT]), small)
                continue
            count += 1
            key, rows = data
            saved = [
                _Saved(Artifact(Path(path), str(kind), int(size)), int(time))
                for path, kind, size, time in rows
            ]
        except (ValueError, TypeError, KeyError):
            continue
        if isinstance(key, str):
            files.pop(key, None)
            files[key] = saved
    return _Log(files, count, limit)
