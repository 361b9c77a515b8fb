"""What the file index knows, kept in the data directory: hashes by stamp, and the names in every folder.

One SQLite file, shared by processes and safe against being killed: a hash is written as soon as it is
known. A damaged file costs time, never correctness: it is begun anew. One that cannot be written is no
failure either; it is said once.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nodegraph.modelfiles.hashing import Stamp
from nodegraph.modelfiles.scanning import Folder

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger(__name__)
T = TypeVar("T")
_PATIENCE = 20  # seconds to wait for another process that writes
_TABLES = """
CREATE TABLE IF NOT EXISTS hashes (stamp TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folders (
    root TEXT, folder TEXT, content TEXT NOT NULL, PRIMARY KEY (root, folder)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (sha256 TEXT PRIMARY KEY, source TEXT NOT NULL) WITHOUT ROWID;
"""


class Memory:
    """The stored part of a file index; `path=None` keeps nothing. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._warned = False

    def hashes(self, stamps: Iterable[Stamp] | None = None) -> dict[Stamp, str]:
        """The known hashes of these stamps; of all where none are given."""
        wanted = None if stamps is None else [_text(stamp) for stamp in stamps]

        def read(database: sqlite3.Connection) -> dict[Stamp, str]:
            if wanted is None:
                rows = database.execute("SELECT stamp, sha256 FROM hashes").fetchall()
            else:
                one = "SELECT stamp, sha256 FROM hashes WHERE stamp = ?"
                rows = [row for text in wanted for row in database.execute(one, [text])]
            return {_stamp(text): str(digest) for text, digest in rows}

        return self._read(read, {})

    def put_hash(self, stamp: Stamp, digest: str) -> None:
        """Remember the hash of a file that has this stamp."""
        row = [_text(stamp), digest]
        self._write(lambda database: database.execute("INSERT OR REPLACE INTO hashes VALUES (?, ?)", row))

    def source(self, digest: str) -> str:
        """Where a file of that content was pulled from; empty if that is not known."""
        query = "SELECT source FROM sources WHERE sha256 = ?"
        row = self._read(lambda database: database.execute(query, [digest]).fetchone(), None)
        return str(row[0]) if row else ""

    def put_source(self, digest: str, source: str) -> None:
        """Remember where a file of that content was pulled from."""
        row = [digest, source]
        self._write(lambda database: database.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", row))

    def folders(self, root: Path) -> dict[str, Folder]:
        """The folders under a root as the last scan saw them."""
        query = "SELECT folder, content FROM folders WHERE root = ?"

        def read(database: sqlite3.Connection) -> dict[str, Folder]:
            return {name: _folder(content) for name, content in database.execute(query, [str(root)])}

        return self._read(read, {})

    def put_folders(self, root: Path, changed: Mapping[str, Folder], gone: Iterable[str]) -> bool:
        """Remember what changed under a root; whether it is remembered, as far as anything is.

        Looking makes no data directory: it is written only where there is one already.
        """
        if self._path is None:
            return True
        if not self._path.parent.is_dir():
            return False
        rows = [(str(root), name, json.dumps(folder)) for name, folder in changed.items()]
        dropped = [(str(root), name) for name in gone]

        def write(database: sqlite3.Connection) -> None:
            database.executemany("DELETE FROM folders WHERE root = ? AND folder = ?", dropped)
            database.executemany("INSERT OR REPLACE INTO folders VALUES (?, ?, ?)", rows)

        return self._write(write) if rows or dropped else True

    def _read(self, read: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        if self._path is None or not _exists(self._path):
            return nothing
        import sqlite3

        try:
            place = f"{self._path.absolute().as_uri()}?mode=rw"  # never made by reading
            with self._lock, closing(sqlite3.connect(place, timeout=_PATIENCE, uri=True)) as database:
                return read(database)
        except (sqlite3.Error, ValueError, TypeError) as error:
            log.debug("the file index is read as empty: %s", error)
            return nothing

    def _write(self, write: Callable[[sqlite3.Connection], object]) -> bool:
        """Change the file; whether that was possible."""
        if self._path is None:
            return True
        import sqlite3

        try:
            with self._lock:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._change(self._path, write)
                except sqlite3.OperationalError:
                    raise  # locked, full or read-only: the file is sound
                except sqlite3.DatabaseError:
                    self._path.unlink(missing_ok=True)  # damaged
                    self._change(self._path, write)
        except (OSError, sqlite3.Error) as error:
            if not self._warned:
                log.warning("hashes cannot be remembered: %s", error)
            self._warned = True
            return False
        return True

    def _change(self, path: Path, write: Callable[[sqlite3.Connection], object]) -> None:
        import sqlite3

        with closing(sqlite3.connect(path, timeout=_PATIENCE)) as database:
            database.executescript(_TABLES)
            with database:  # one transaction: all of it or nothing
                write(database)


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _text(stamp: Stamp) -> str:
    return ":".join(map(str, stamp))  # text: an inode may need all 64 bits, which SQLite's integers lack


def _stamp(text: str) -> Stamp:
    device, inode, size, modified, changed = map(int, text.split(":"))
    return device, inode, size, modified, changed


def _folder(content: str) -> Folder:
    stamp, files, folders, links = json.loads(content)
    trusted = None if stamp is None else (stamp[0], stamp[1], stamp[2], stamp[3])
    return Folder(trusted, tuple(files), tuple(folders), tuple(links))
