"""Jobs in the database: what is accepted is kept, and every job ends exactly once.

Each change says from which states it may be made; one that comes too late changes nothing and says so.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from msgspec.structs import fields

from nodegraph.errors import InputError
from nodegraph.jobs.database import Database
from nodegraph.jobs.records import FINAL, Job, JobEvent, NewJob, State, files_in

_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(Job))
HIDDEN = 3600.0
"""Seconds for which a hidden job is kept that is over."""
_WAITING = "state IN ('queued', 'held')"


class JobStore:
    """Every method that changes something returns when the change is on the disk."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def submit(self, new: Sequence[NewJob]) -> list[tuple[Job, bool]]:
        """Keep jobs, in this order; each with whether it is new.

        One whose key its user has used before is the job of then. InputError `idempotency_conflict`: that
        was another one; then none is kept.
        """
        if self.database.damage is not None:
            raise self.database.damage
        return await self.database.write(lambda connection: [_submit(connection, one) for one in new])

    async def get(self, id_: str) -> Job | None:
        """The job, or None."""
        return await self.database.read(lambda connection: _get(connection, id_))

    async def jobs(
        self, user: str | None = None, *, states: Collection[State] = (), group: str | None = None,
        before: int | None = None, limit: int = 100, hidden: bool = True,
    ) -> list[Job]:  # fmt: skip
        """Jobs, the newest first: of a user (None: all), in these states (none: any), with lower numbers.

        hidden: those that are left out of lists as well.
        """
        where, values = ["1"], list[Any]()
        for text, value in (("user = ?", user), ('"group" = ?', group), ("number < ?", before)):
            if value is not None:
                where.append(text)
                values.append(value)
        if not hidden:
            where.append("NOT hidden")
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values.extend(states)
        sql = f"SELECT {_COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"  # noqa: S608
        return await self.database.read(lambda connection: _jobs(connection, sql, *values, limit))

    async def waiting(self) -> list[Job]:
        """All jobs that wait, as they were submitted."""
        sql = f"SELECT {_COLUMNS} FROM jobs WHERE {_WAITING} ORDER BY number"  # noqa: S608 - our own columns
        return await self.database.read(lambda connection: _jobs(connection, sql))

    async def start(self, id_: str, worker: str) -> Job | None:
        """A worker begins with the job; None if it does not wait any more."""
        return await self._change(
            id_, ("queued",), "state = 'running', started = ?, worker = ?, attempts = attempts + 1",
            time.time(), worker,
        )  # fmt: skip

    async def finish(
        self, id_: str, state: State, *, result: bytes | None = None, problems: bytes | None = None,
        shown: bytes | None = None,
    ) -> Job | None:  # fmt: skip
        """The job is over; None if it was not running (or, to be cancelled, waiting)."""
        if state not in FINAL:
            raise ValueError(f"'{state}' is no end")
        allowed: tuple[State, ...] = ("running",) if state != "cancelled" else ("running", "queued", "held")
        return await self._change(
            id_, allowed, "state = ?, finished = ?, result = ?, problems = ?, shown = ?",
            state, time.time(), result, problems, shown,
        )  # fmt: skip

    async def put_back(
        self, id_: str, state: State, problems: bytes | None = None,
        *, died: bool = False,
    ) -> Job | None:  # fmt: skip
        """A running job was interrupted: it waits again, in its old place, or is quarantined."""
        if state not in ("queued", "held", "quarantined"):
            raise ValueError(f"a job is not put back as '{state}'")
        finished = time.time() if state == "quarantined" else None
        return await self._change(
            id_, ("running",), "state = ?, finished = ?, worker = NULL, problems = ?, deaths = deaths + ?",
            state, finished, problems, int(died),
        )  # fmt: skip

    async def hold(self, id_: str, held: bool = True) -> Job | None:
        """Let a waiting job wait for its release, or release it."""
        states: tuple[State, State] = ("queued", "held") if held else ("held", "queued")
        return await self._change(id_, states[:1], "state = ?", states[1])

    async def set_priority(self, id_: str, priority: int) -> Job | None:
        """Another priority for a waiting job."""
        return await self._change(id_, ("queued", "held"), "priority = ?", priority)

    async def move(self, id_: str, position: float) -> Job | None:
        """Another place among its user's waiting jobs."""
        return await self._change(id_, ("queued", "held"), "position = ?", position)

    async def recover(self) -> list[Job]:
        """Put back every job that was running when the last process ended; these jobs."""

        def work(connection: sqlite3.Connection) -> list[Job]:
            sql = f"SELECT {_COLUMNS} FROM jobs WHERE state = 'running' ORDER BY number"  # noqa: S608
            found = _jobs(connection, sql)
            connection.execute("UPDATE jobs SET state = 'queued', worker = NULL WHERE state = 'running'")
            return [job for old in found if (job := _get(connection, old.id)) is not None]

        return await self.database.write(work)

    async def add_events(self, events: Sequence[JobEvent]) -> None:
        """Keep events. Those of a job that is gone are dropped."""
        rows = [(event.job, event.seq, event.kind, event.data, event.time, event.job) for event in events]
        sql = "INSERT INTO events SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?)"
        await self.database.write(lambda connection: connection.executemany(sql, rows) and None)

    async def events(self, id_: str, after: int = 0, limit: int = 1_000) -> list[JobEvent]:
        """The kept events of a job with higher numbers, in order."""
        sql = "SELECT job, seq, kind, data, time FROM events WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?"
        return await self.database.read(
            lambda connection: [JobEvent(*row) for row in connection.execute(sql, (id_, after, limit))]
        )

    async def last_event(self, id_: str) -> int:
        """The highest number of an event of the job; 0 if it has none."""
        sql = "SELECT coalesce(max(seq), 0) FROM events WHERE job = ?"
        return await self.database.read(lambda connection: int(connection.execute(sql, (id_,)).fetchone()[0]))

    async def last_events(self) -> dict[str, int]:
        """The highest number of an event of every job that waits."""
        sql = f"SELECT job, max(seq) FROM events JOIN jobs ON id = job WHERE {_WAITING} GROUP BY job"  # noqa: S608
        return await self.database.read(lambda connection: dict(connection.execute(sql).fetchall()))

    async def delete(self, id_: str) -> bool:
        """Forget a job that is over, with its events. Whether there was one."""
        sql = f"DELETE FROM jobs WHERE id = ? AND state IN ({', '.join('?' * len(FINAL))})"  # noqa: S608
        return await self.database.write(
            lambda connection: connection.execute(sql, (id_, *sorted(FINAL))).rowcount > 0
        )

    async def made(self, user: str, file: str) -> bool:
        """Whether a job of this user has a result that names the file."""
        sql = (
            "SELECT 1 FROM made JOIN jobs ON jobs.id = made.job WHERE made.file = ? AND jobs.user = ? LIMIT 1"
        )
        row = await self.database.read(lambda connection: connection.execute(sql, (file, user)).fetchone())
        return row is not None

    async def all_made(self) -> frozenset[str]:
        """The files that results name."""
        sql = "SELECT DISTINCT file FROM made"
        return await self.database.read(
            lambda connection: frozenset(row[0] for row in connection.execute(sql))
        )

    async def prune(self, keep: int, before: float | None = None) -> int:
        """Forget jobs that are over: all but the newest `keep`, and those that ended before a moment.

        Hidden ones are forgotten after an hour.
        """
        final = f"state IN ({', '.join('?' * len(FINAL))})"
        sql = f"""
            DELETE FROM jobs WHERE {final} AND (finished < ? OR hidden AND finished < ? OR number <=
                (SELECT number FROM jobs WHERE {final} ORDER BY number DESC LIMIT 1 OFFSET ?))
        """  # noqa: S608 - our own words
        ends = before if before is not None else 0.0, time.time() - HIDDEN
        values = *sorted(FINAL), *ends, *sorted(FINAL), keep
        return await self.database.write(lambda connection: connection.execute(sql, values).rowcount)

    async def next_delivery(self) -> tuple[Job, int, float] | None:
        """The job whose webhook is due first, how often that was tried, and when it is due (Unix seconds)."""
        sql = "SELECT job, tries, due FROM deliveries ORDER BY due LIMIT 1"

        def work(connection: sqlite3.Connection) -> tuple[Job, int, float] | None:
            row = connection.execute(sql).fetchone()
            job = _get(connection, row[0]) if row is not None else None
            return None if job is None else (job, row[1], row[2])

        return await self.database.read(work)

    async def put_off_delivery(self, id_: str, due: float) -> None:
        """A webhook failed, and is due again later."""
        sql = "UPDATE deliveries SET tries = tries + 1, due = ? WHERE job = ?"
        await self.database.write(lambda connection: connection.execute(sql, (due, id_)) and None)

    async def end_delivery(self, id_: str) -> None:
        """A webhook was called, or is given up."""
        sql = "DELETE FROM deliveries WHERE job = ?"
        await self.database.write(lambda connection: connection.execute(sql, (id_,)) and None)

    async def counts(self, user: str | None = None) -> dict[str, int]:
        """How many jobs there are in every state: of a user (None: all)."""
        sql = "SELECT state, count(*) FROM jobs WHERE user = ? OR ? IS NULL GROUP BY state"
        return await self.database.read(
            lambda connection: dict(connection.execute(sql, (user, user)).fetchall())
        )

    async def setting(self, name: str) -> str | None:
        """A setting that outlives the process, such as whether the queue is paused."""
        sql = "SELECT value FROM settings WHERE name = ?"
        row = await self.database.read(lambda connection: connection.execute(sql, (name,)).fetchone())
        return None if row is None else str(row[0])

    async def set_setting(self, name: str, value: str) -> None:
        """Remember a setting."""
        sql = "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        await self.database.write(lambda connection: connection.execute(sql, (name, value)) and None)

    async def _change(self, id_: str, allowed: Sequence[State], changes: str, *values: object) -> Job | None:
        marks = ", ".join("?" * len(allowed))
        sql = f"UPDATE jobs SET {changes} WHERE id = ? AND state IN ({marks}) RETURNING {_COLUMNS}"  # noqa: S608

        def work(connection: sqlite3.Connection) -> Job | None:
            row = connection.execute(sql, (*values, id_, *allowed)).fetchone()
            if row is None:
                return None
            job = Job(**dict(zip(_NAMES, row, strict=True)))
            if job.is_final:
                _note_end(connection, job)
            return job

        return await self.database.write(work)


_NAMES = [field.name for field in fields(Job)]


def _submit(connection: sqlite3.Connection, new: NewJob) -> tuple[Job, bool]:
    if new.key is not None:
        sql = f'SELECT {_COLUMNS} FROM jobs WHERE user = ? AND "key" = ?'  # noqa: S608 - our own columns
        for known in _jobs(connection, sql, new.user, new.key):
            if _content(known) != _content(new):
                raise InputError(
                    f"the idempotency key '{new.key}' belongs to another job", code="idempotency_conflict",
                    input="idempotency_key", remedy="Use a new key for a new job.",
                )  # fmt: skip
            return known, False
    sql = f"""
        INSERT INTO jobs
            (id, user, state, title, priority, position, "key", "group", document, inputs, options, created,
             hidden)
        VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM jobs), ?, ?, ?, ?, ?, ?, ?)
        RETURNING {_COLUMNS}
    """  # noqa: S608 - our own columns
    values = (
        uuid.uuid4().hex, new.user, "held" if new.held else "queued", new.title, new.priority, new.key,
        new.group, new.document, new.inputs, new.options, time.time(), new.hidden,
    )  # fmt: skip
    return _jobs(connection, sql, *values)[0], True


def _content(job: Job | NewJob) -> str:
    """What a key must not change: what is run, with what."""
    parts = [json.loads(text) for text in (job.document, job.inputs, job.options)]
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _note_end(connection: sqlite3.Connection, job: Job) -> None:
    """With the end of a job, in its transaction: which files it made, and that its webhook is due."""
    rows = [(file, job.id) for file in files_in(job.result, job.shown)]
    if rows:
        connection.executemany("INSERT OR IGNORE INTO made VALUES (?, ?)", rows)
    if json.loads(job.options).get("webhook") is not None:
        connection.execute("INSERT OR IGNORE INTO deliveries VALUES (?, 0, 0)", (job.id,))


def _get(connection: sqlite3.Connection, id_: str) -> Job | None:
    found = _jobs(connection, f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", id_)  # noqa: S608 - our own columns
    return found[0] if found else None


def _jobs(connection: sqlite3.Connection, sql: str, *values: object) -> list[Job]:
    return [Job(**dict(zip(_NAMES, row, strict=True))) for row in connection.execute(sql, values)]
