"""The database file: one writer thread that commits together what waits together, and one reader.

A write is done when the transaction that holds it is on the disk (WAL, synchronous FULL). Many callers at
once share one commit, so durability costs each of them a part of one.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from nodegraph.errors import NodegraphError
from nodegraph.jobs.journal import lost_commits
from nodegraph.jobs.migrations import VERSION, migrate, version_of

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
RESTORE = "Stop the server and restore a copy: nodegraph db restore FILE. The damaged file is kept."
MAX_TOGETHER = 500
"""Writes of one transaction: more would make the first ones wait for the last."""


class DatabaseError(NodegraphError):
    """The job database cannot be used: it is damaged, of a newer version, or its disk is full."""

    code = "database"


class Database:
    """One file. `write` and `read` may be called from any event loop; work runs on threads of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = 0
        """Transactions so far: fewer than writes where callers came together."""
        self.damage: DatabaseError | None = None
        """What `examine` found: from then on nothing more is accepted."""
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._reader = ThreadPoolExecutor(1, "database-reader")
        self._read_connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Create or migrate the file, and start. DatabaseError names what is wrong and the remedy."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        refuse_damaged_journal(self.path)
        try:
            connection = connect(self.path)
            if version_of(connection) > VERSION:
                connection.close()
                raise DatabaseError(
                    f"{self.path} was written by a newer version of nodegraph",
                    expected=f"version {VERSION} or older",
                    remedy="Upgrade nodegraph, or name another data directory.",
                )
            migrate(connection)
            connection.execute("SELECT count(*) FROM jobs WHERE state = 'running'").fetchone()
            self._read_connection = connect(self.path)
        except sqlite3.Error as error:
            raise told(self.path, error) from error
        self._thread = threading.Thread(target=self._work, args=(connection,), name="database", daemon=True)
        self._thread.start()

    def examine(self) -> None:
        """Read all pages, which takes a while on a large file, and remember what is damaged."""
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            found = str(error)
        finally:
            connection.close()
        if found != "ok":
            self.damage = DatabaseError(
                f"the job database {self.path} is damaged: {found}", code="database_damaged", remedy=RESTORE
            )
            log.error("%s; %s", self.damage, RESTORE)

    def close(self) -> None:
        """Commit what waits, and end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._reader.shutdown()
        if self._read_connection is not None:
            self._read_connection.close()

    async def write(self, work: Work[T]) -> T:
        """Do the work in a transaction; what it gives, once that is on the disk. What it raises is raised."""
        return await asyncio.wrap_future(self.write_soon(work))

    def write_soon(self, work: Work[T]) -> Future[T]:
        """As `write`, for callers on any thread: the future is done when the work is on the disk."""
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future

    async def read(self, work: Work[T]) -> T:
        """Do the work on what is committed. It must not write."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, work)

    def _read(self, work: Work[T]) -> T:
        assert self._read_connection is not None  # noqa: S101 - it is open
        try:
            return work(self._read_connection)
        except sqlite3.Error as error:
            raise told(self.path, error) from error

    def _work(self, connection: sqlite3.Connection) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < MAX_TOGETHER and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            self._commit(connection, batch)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for work, future in batch:
                connection.execute("SAVEPOINT one")
                try:
                    result = work(connection)
                except Exception as error:
                    if not connection.in_transaction:  # a full disk, and the like, has undone all of it
                        raise
                    connection.execute("ROLLBACK TO one")
                    future.set_exception(
                        told(self.path, error) if isinstance(error, sqlite3.Error) else error
                    )
                else:
                    done.append((future, result))
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for _, future in batch:
                if not future.done():
                    future.set_exception(told(self.path, error))
            return
        self.commits += 1
        for future, result in done:
            future.set_result(result)


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread after another, without implicit transactions."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def refuse_damaged_journal(path: Path) -> None:
    """DatabaseError where opening the database would lose what was committed."""
    lost = lost_commits(path)
    if lost > 1:
        raise DatabaseError(
            f"the journal of the job database is damaged: {path}-wal", code="database_damaged",
            found=f"{lost} transactions behind a damaged page",
            remedy="Restore a copy: nodegraph db restore FILE. Or accept the loss and move the journal away: "
            "what was committed before it is in the database.",
        )  # fmt: skip


def told(path: Path, error: sqlite3.Error) -> DatabaseError:
    """What SQLite says, with what to do about it."""
    name = getattr(error, "sqlite_errorname", "")
    if name in ("SQLITE_CORRUPT", "SQLITE_NOTADB") or name.startswith("SQLITE_CORRUPT"):
        return DatabaseError(
            f"the job database {path} is damaged: {error}", code="database_damaged", remedy=RESTORE
        )
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return DatabaseError(
            f"the job database {path} cannot be written: {error}", code="database_full",
            remedy="Free disk space; nothing that was accepted is lost.",
        )  # fmt: skip
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return DatabaseError(
            f"the job database {path} cannot be opened for writing: {error}", code="database_unwritable",
            remedy="Free its permissions, or name another data directory.",
        )  # fmt: skip
    return DatabaseError(f"the job database {path} failed: {error}")
