"""Named workflows in the database: every save is a revision, nothing is overwritten, and trash is kept.

A change names the revision that it was made from; one that was made from an older one is a conflict.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Sequence

from msgspec import Struct

from nodegraph.errors import NodegraphError
from nodegraph.jobs.database import Database

_SELECT = """
    SELECT w.id, w.user, w.name, w.revision, w.created, w.updated, w.trashed, r.digest, length(r.document)
    FROM workflows w JOIN revisions r ON r.workflow = w.id AND r.number = w.revision
"""


class ConflictError(NodegraphError):
    """Somebody else saved in between, or the name is taken; `current` is the revision there is now."""

    code = "workflow_conflict"

    def __init__(self, message: str, *, current: int | None = None, **more: str) -> None:
        super().__init__(message, **more)
        self.current = current


class Saved(Struct, frozen=True):
    """A named workflow as it stands; times are Unix seconds, `digest` is of its newest document."""

    id: int
    user: str
    name: str
    revision: int
    created: float
    updated: float
    trashed: float | None
    digest: str
    size: int

    @property
    def tag(self) -> str:
        """What changes whenever the workflow does."""
        return f"{self.id}-{self.revision}-{self.digest[:12]}"


class Revision(Struct, frozen=True):
    """One state of a workflow that was saved."""

    number: int
    digest: str
    note: str
    created: float
    size: int


class WorkflowStore:
    """All of it by user: nobody sees or changes what another one saved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, user: str, *, trashed: bool = False) -> Sequence[Saved]:
        """The user's workflows by name, or those in the trash, the newest first."""
        order = "w.trashed DESC, w.id DESC" if trashed else "w.name"
        where = f"WHERE w.user = ? AND w.trashed IS {'NOT ' if trashed else ''}NULL ORDER BY {order}"
        sql = f"{_SELECT} {where}"
        return await self._database.read(
            lambda connection: [Saved(*row) for row in connection.execute(sql, (user,))]
        )

    async def get(self, user: str, name: str) -> Saved | None:
        """The workflow of that name, or None."""
        return await self._database.read(lambda connection: _find(connection, user, name))

    async def document(self, workflow: Saved, revision: int | None = None) -> bytes | None:
        """The document of a revision (None: the newest), or None if there is no such revision."""
        sql = "SELECT document FROM revisions WHERE workflow = ? AND number = ?"
        values = workflow.id, revision if revision is not None else workflow.revision
        row = await self._database.read(lambda connection: connection.execute(sql, values).fetchone())
        return None if row is None else bytes(row[0])

    async def revisions(self, workflow: Saved) -> Sequence[Revision]:
        """All revisions, the newest first."""
        sql = """
            SELECT number, digest, note, created, length(document) FROM revisions
            WHERE workflow = ? ORDER BY number DESC
        """
        return await self._database.read(
            lambda connection: [Revision(*row) for row in connection.execute(sql, (workflow.id,))]
        )

    async def save(
        self, user: str, name: str, document: bytes, *, base: str | None, note: str = ""
    ) -> tuple[Saved, bool]:
        """Save a document, and whether that made the workflow. An equal one makes no revision.

        base: the tag of what it was made from, None for a new workflow. ConflictError: that is not what there
        is.
        """

        def work(connection: sqlite3.Connection) -> tuple[Saved, bool]:
            known = _find(connection, user, name)
            _check_base(known, base, name)
            digest, now = hashlib.blake2b(document, digest_size=20).hexdigest(), time.time()
            if known is not None and known.digest == digest:
                return known, False
            number = 1 if known is None else known.revision + 1
            if known is None:
                sql = "INSERT INTO workflows (user, name, revision, created, updated) VALUES (?, ?, ?, ?, ?)"
                id_ = connection.execute(sql, (user, name, number, now, now)).lastrowid
            else:
                id_ = known.id
                sql = "UPDATE workflows SET revision = ?, updated = ? WHERE id = ?"
                connection.execute(sql, (number, now, id_))
            row = id_, number, document, digest, note, now
            connection.execute("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?)", row)
            made = _find(connection, user, name)
            assert made is not None  # noqa: S101 - it was written above
            return made, known is None

        return await self._database.write(work)

    async def rename(self, workflow: Saved, name: str) -> Saved:
        """Another name. ConflictError: it is taken."""

        def work(connection: sqlite3.Connection) -> Saved:
            taken = _find(connection, workflow.user, name)
            if taken is not None and taken.id != workflow.id:
                raise ConflictError(
                    f"there is a workflow '{name}' already", code="workflow_exists",
                    remedy="Take another name, or rename that one first.",
                )  # fmt: skip
            sql = "UPDATE workflows SET name = ? WHERE id = ? AND trashed IS NULL"
            connection.execute(sql, (name, workflow.id))
            found = _find(connection, workflow.user, name)
            if found is None:
                raise ConflictError(f"'{workflow.name}' went to the trash meanwhile")
            return found

        return await self._database.write(work)

    async def trash(self, workflow: Saved) -> None:
        """Put it into the trash, with all its revisions."""
        sql = "UPDATE workflows SET trashed = ? WHERE id = ? AND trashed IS NULL"
        values = time.time(), workflow.id
        await self._database.write(lambda connection: connection.execute(sql, values) and None)

    async def restore(self, user: str, id_: int, name: str | None = None) -> Saved | None:
        """Take a workflow out of the trash, under another name if one is given; None if it is not there.

        ConflictError: the name is taken meanwhile.
        """

        def work(connection: sqlite3.Connection) -> Saved | None:
            sql = f"{_SELECT} WHERE w.user = ? AND w.id = ? AND w.trashed IS NOT NULL"
            row = connection.execute(sql, (user, id_)).fetchone()
            if row is None:
                return None
            wanted = name or Saved(*row).name
            if _find(connection, user, wanted) is not None:
                raise ConflictError(
                    f"there is a workflow '{wanted}' already", code="workflow_exists",
                    remedy="Restore it under another name.",
                )  # fmt: skip
            connection.execute("UPDATE workflows SET trashed = NULL, name = ? WHERE id = ?", (wanted, id_))
            return _find(connection, user, wanted)

        return await self._database.write(work)

    async def purge(self, user: str, id_: int) -> bool:
        """Delete what lies in the trash for good, with all its revisions. Whether it was there."""

        def work(connection: sqlite3.Connection) -> bool:
            sql = "SELECT id FROM workflows WHERE id = ? AND user = ? AND trashed IS NOT NULL"
            if connection.execute(sql, (id_, user)).fetchone() is None:
                return False
            connection.execute("DELETE FROM revisions WHERE workflow = ?", (id_,))
            connection.execute("DELETE FROM workflows WHERE id = ?", (id_,))
            return True

        return await self._database.write(work)


def _find(connection: sqlite3.Connection, user: str, name: str) -> Saved | None:
    sql = f"{_SELECT} WHERE w.user = ? AND w.name = ? AND w.trashed IS NULL"
    row = connection.execute(sql, (user, name)).fetchone()
    return None if row is None else Saved(*row)


def _check_base(known: Saved | None, base: str | None, name: str) -> None:
    if known is None and base is not None:
        raise ConflictError(f"there is no workflow '{name}' any more", remedy="Save it as a new one.")
    if known is not None and base is None:
        raise ConflictError(
            f"there is a workflow '{name}' already", code="workflow_exists", current=known.revision,
            remedy="Name the revision that it was made from (If-Match), or take another name.",
        )  # fmt: skip
    if known is not None and base != known.tag:
        raise ConflictError(
            f"'{name}' was saved by somebody else meanwhile", current=known.revision,
            found=f"revision {known.revision}",
            remedy="Load that revision and bring both together, or save under another name.",
        )  # fmt: skip
