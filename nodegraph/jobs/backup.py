"""Copies of the job database: made whole while it is used, checked, and put back without losing anything."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from nodegraph.errors import InputError
from nodegraph.jobs.database import RESTORE, DatabaseError, refuse_damaged_journal, told

_BESIDE = ("-wal", "-shm", "-journal")


def check(path: Path) -> None:
    """Read the whole database. DatabaseError if something in it is damaged."""
    if not path.is_file():
        raise InputError(f"there is no database {path}", code="unknown_file")
    refuse_damaged_journal(path)
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
            connection.execute("SELECT count(*) FROM jobs").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise told(path, error) from error
    if found != ["ok"]:
        raise DatabaseError(
            f"the job database {path} is damaged: {'; '.join(found)}", code="database_damaged",
            remedy=RESTORE,
        )  # fmt: skip


def backup(path: Path, target: Path) -> None:
    """Copy the database as it is now, also while a server uses it. The copy is whole or not there.

    InputError: the target is there already.
    """
    if target.exists():
        raise InputError(f"{target} is there already", code="file_exists", remedy="Name a new file.")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        copy = sqlite3.connect(part)
        try:
            source.backup(copy)
        finally:
            source.close()
            copy.close()
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise told(path, error) from error
    check(part)
    os.replace(part, target)  # noqa: PTH105 - Path.replace says nothing more


def restore(path: Path, copy: Path) -> Path | None:
    """Put a copy in the place of the database; where the old one is kept now, if there was one.

    The server must not run meanwhile. DatabaseError: the copy itself is damaged.
    """
    check(copy)
    kept = None
    if path.exists():
        kept = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.kept")
        for ending in ("", *_BESIDE):
            old = path.with_name(path.name + ending)
            if old.exists():
                old.rename(kept.with_name(kept.name + ending))
    backup(copy, path)
    return kept
