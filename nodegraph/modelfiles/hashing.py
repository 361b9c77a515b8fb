"""Content hashes of files, and the stamp that says whether a file is still the one that was hashed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from nodegraph.errors import InputError

Stamp = tuple[int, int, int, int, int]
"""(device, inode, size, mtime_ns, ctime_ns): a file that changed differs in one of them."""

Progress = Callable[[int, int], None]
"""Gets (bytes done, bytes in all). What it raises ends the work."""

_CHUNK = 8 * 2**20
_TRIES = 3


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file from its status."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def hash_file(path: Path, progress: Progress | None = None) -> tuple[Stamp, str]:
    """The stamp and the sha256 of a file as it is now. A file that changes meanwhile is read again.

    InputError if it does not hold still; OSError if it cannot be read.
    """
    for _ in range(_TRIES):
        before = stamp_of(path.stat())
        digest = _sha256(path, before[2], progress)
        if stamp_of(path.stat()) == before:
            return before, digest
    raise InputError(
        f"'{path}' changes while it is read",
        code="unreadable",
        remedy="Wait until it is written, then retry.",
    )


def _sha256(path: Path, total: int, progress: Progress | None) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(min(done, total), total)
    return digest.hexdigest()
