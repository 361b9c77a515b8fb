"""The disk tier of the cache: one sealed safetensors file per key, in a folder that processes share.

There is no index. A key is there if its file is; a file is used last when it was modified last; the oldest
go when the limit is reached (`.turn` names who wrote last: only others have to count the files again). All
writing happens under one lock file, which the system frees when a process dies, and ends with a rename:
whoever holds the lock knows that a half-written file belongs to nobody. An entry that is torn, foreign or of
another format is a miss, and is replaced when its result is made again.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodegraph.codecs import Codecs
from nodegraph.errors import InputError, NodegraphError
from nodegraph.execution.files import write_whole
from nodegraph.execution.sealed import TensorsOf, read_about, read_sealed, write_sealed

log = logging.getLogger(__name__)
FORMAT = 1
"""The format of the entries. Raise it when a value class changes its meaning: older entries become misses."""

_ENTRY = re.compile(r"[0-9a-f]{40}\.safetensors")
_PATIENCE = 60  # seconds to wait for another process that writes
_SLACK = (
    20  # eviction frees this part of the limit more, so that a full folder is not searched at every write
)
Outputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """A file of the disk tier.

    node: the type of the node that made it; size: bytes of the file; seconds: what it took to make; used:
    when it was last used (Unix time); readable: whether its header is one of ours.
    """

    key: str
    node: str
    size: int
    seconds: float
    used: float
    readable: bool = True


class DiskCache:
    """Results by key in a folder. Thread-safe, and shared by processes. `limit` is in bytes."""

    def __init__(self, folder: Path, limit: int, codecs: Codecs, tensors: TensorsOf) -> None:
        self.folder = folder
        self.limit = limit
        self._codecs = codecs
        self._tensors = tensors
        self._broken: set[str] = set()
        self._name = secrets.token_hex(8)
        self._used: int | None = None  # bytes, as long as nobody else writes
        self._one_writer = threading.Lock()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key not in self._broken and self._path(key).is_file()

    def get(self, key: str) -> tuple[Outputs, float] | None:
        """The outputs under a key and the seconds that they took, or None if no whole entry is there."""
        path = self._path(key)
        try:
            outputs, seconds = self._read(path, key)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with an entry, the node can run instead
            log.info("the cache entry %s is not used: %s", key, error)
            self._broken.add(key)
            return None
        with suppress(OSError):  # a folder that may only be read is used all the same
            os.utime(path)
        return outputs, seconds

    def put(self, key: str, outputs: Outputs, seconds: float, node: str) -> None:
        """Write an entry, removing the longest unused ones until it fits; too large a one is not kept.

        Raises InputError when the folder cannot be written, DeclarationError when a value has no codec.
        """
        encoded = self._codecs.encode(dict(outputs))
        about = {"format": FORMAT, "key": key, "node": node, "seconds": seconds}

        def write(temporary: Path) -> None:
            write_sealed(temporary, encoded, about, self._tensors)
            self._make_room(temporary.stat().st_size)

        with self._locked():
            self._take_turn()
            with suppress(_TooLargeError):
                write_whole(self._path(key), write)
        self._broken.discard(key)

    def entries(self) -> list[DiskEntry]:
        """Every entry, the last used first."""
        found = [_entry(path, status) for path, status in self._files()]
        return sorted(found, key=lambda entry: -entry.used)

    @property
    def used(self) -> int:
        """Bytes of all entries."""
        return sum(status.st_size for _, status in self._files())

    def clear(self) -> tuple[int, int]:
        """Remove every entry; how many there were, and their bytes. InputError if that is not allowed."""
        if not self.folder.is_dir():
            return 0, 0
        with self._locked():
            self._take_turn()
            self._used = None
            files = list(self._files())
            for path, _ in files:
                path.unlink(missing_ok=True)
        return len(files), sum(status.st_size for _, status in files)

    def _read(self, path: Path, key: str) -> tuple[Outputs, float]:
        encoded, about = read_sealed(path, self._tensors)
        if (about["format"], about["key"]) != (FORMAT, key):
            raise InputError(f"'{path}' is of another format or key", code="broken_entry")
        return self._codecs.decode(encoded), float(about["seconds"])

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """The files whose names are ours, with their status."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as found:
            for item in found:
                if _ENTRY.fullmatch(item.name) and item.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):  # another process removed it just now
                        yield Path(item.path), item.stat()

    def _take_turn(self) -> None:
        """Note that we write now; count anew, and remove what killed writers left, if somebody else wrote.

        Only for whoever holds the lock.
        """
        turn = self.folder / ".turn"
        with suppress(FileNotFoundError):
            if turn.read_text("ascii", "replace") == self._name:
                return
        turn.write_text(self._name, "ascii")
        self._used = None
        for path in self.folder.glob(".*.part.safetensors"):
            path.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Count a new file, and remove old ones if it does not fit."""
        if size > self.limit:
            raise _TooLargeError
        if self._used is not None and self._used + size <= self.limit:
            self._used += size  # too many bytes where it takes another's place: the next count corrects that
            return
        files = sorted(self._files(), key=lambda file: file[1].st_mtime_ns)
        self._used = size + sum(status.st_size for _, status in files)
        if self._used <= self.limit:
            return
        for path, status in files:
            if self._used <= max(size, self.limit - self.limit // _SLACK):
                return
            path.unlink(missing_ok=True)
            self._used -= status.st_size

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only writer among all threads and processes. InputError if that cannot be had."""
        import filelock  # only who writes needs it

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._one_writer, filelock.FileLock(self.folder / ".lock", timeout=_PATIENCE):
                yield
        except OSError as error:
            raise InputError(
                f"the cache in '{self.folder}' cannot be written: {error.strerror or error}",
                code="unwritable", remedy="Free its permissions, or switch it off: disk_cache_bytes=0.",
            ) from error  # fmt: skip


class _TooLargeError(Exception):
    """An entry is larger than the whole disk tier may be."""


def _entry(path: Path, status: os.stat_result) -> DiskEntry:
    key = path.stem
    try:
        about = read_about(path)
        node, seconds = str(about["node"]), float(about["seconds"])
    except (NodegraphError, KeyError, TypeError, ValueError):
        return DiskEntry(key, "", status.st_size, 0.0, status.st_mtime, readable=False)
    return DiskEntry(key, node, status.st_size, seconds, status.st_mtime)
