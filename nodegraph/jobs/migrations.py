"""The schema of the job database, version by version: step N leads from version N to N + 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from nodegraph.jobs.records import files_in

Step = Callable[[sqlite3.Connection], None]


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            user TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN
                ('queued', 'held', 'running', 'done', 'failed', 'cancelled', 'quarantined')),
            title TEXT NOT NULL,
            priority INTEGER NOT NULL,
            position REAL NOT NULL,
            "key" TEXT,
            "group" TEXT,
            document BLOB NOT NULL,
            inputs BLOB NOT NULL,
            options BLOB NOT NULL,
            created REAL NOT NULL,
            started REAL,
            finished REAL,
            worker TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            deaths INTEGER NOT NULL DEFAULT 0,
            result BLOB,
            problems BLOB
        )
        """
    )
    connection.execute('CREATE UNIQUE INDEX jobs_by_key ON jobs (user, "key") WHERE "key" IS NOT NULL')
    connection.execute("CREATE INDEX jobs_by_state ON jobs (state, number)")
    connection.execute('CREATE INDEX jobs_by_group ON jobs ("group") WHERE "group" IS NOT NULL')
    connection.execute(
        """
        CREATE TABLE events (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            kind TEXT NOT NULL,
            data BLOB NOT NULL,
            time REAL NOT NULL,
            PRIMARY KEY (job, seq)
        ) WITHOUT ROWID
        """
    )
    connection.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")


def _second(connection: sqlite3.Connection) -> None:
    """Named workflows with their revisions, uploads, and webhooks that have to be called."""
    connection.execute(
        """
        CREATE TABLE workflows (
            id INTEGER PRIMARY KEY,
            user TEXT NOT NULL,
            name TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            trashed REAL
        )
        """
    )
    connection.execute(
        "CREATE UNIQUE INDEX workflows_by_name ON workflows (user, name) WHERE trashed IS NULL"
    )
    connection.execute(
        """
        CREATE TABLE revisions (
            workflow INTEGER NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            document BLOB NOT NULL,
            digest TEXT NOT NULL,
            note TEXT NOT NULL,
            created REAL NOT NULL,
            PRIMARY KEY (workflow, number)
        ) WITHOUT ROWID
        """
    )
    connection.execute(
        """
        CREATE TABLE uploads (
            user TEXT NOT NULL,
            file TEXT NOT NULL,
            name TEXT NOT NULL,
            media_type TEXT NOT NULL,
            size INTEGER NOT NULL,
            created REAL NOT NULL,
            PRIMARY KEY (user, file)
        ) WITHOUT ROWID
        """
    )
    connection.execute(
        """
        CREATE TABLE made (
            file TEXT NOT NULL,
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            PRIMARY KEY (file, job)
        ) WITHOUT ROWID
        """
    )
    connection.execute("CREATE INDEX made_by_job ON made (job)")
    for job, result in connection.execute("SELECT id, result FROM jobs WHERE result IS NOT NULL").fetchall():
        rows = [(file, job) for file in files_in(result)]
        connection.executemany("INSERT OR IGNORE INTO made VALUES (?, ?)", rows)
    connection.execute(
        """
        CREATE TABLE deliveries (
            job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
            tries INTEGER NOT NULL DEFAULT 0,
            due REAL NOT NULL
        ) WITHOUT ROWID
        """
    )


def _third(connection: sqlite3.Connection) -> None:
    """Jobs that are only a look at a value, and the pictures that nodes showed."""
    connection.execute("ALTER TABLE jobs ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE jobs ADD COLUMN shown BLOB")


STEPS: Sequence[Step] = (_first, _second, _third)
VERSION = len(STEPS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest version, each step whole or not at all."""
    version = version_of(connection)
    for number in range(version, VERSION):
        connection.execute("BEGIN IMMEDIATE")
        try:
            STEPS[number](connection)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a database; 0 if it is new."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
