"""Which files a user has uploaded. The files themselves lie among the pictures that workflows read."""

from __future__ import annotations

import time

from msgspec import Struct

from nodegraph.jobs.database import Database


class Upload(Struct, frozen=True):
    """An uploaded file: what it is called in its folder, and what its owner calls it."""

    user: str
    file: str
    name: str
    media_type: str
    size: int
    created: float


class UploadStore:
    """By user: the same file may be uploaded by several."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: str, file: str, name: str, media_type: str, size: int) -> None:
        """Remember an upload. A second one of the same content changes nothing."""
        sql = "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        row = user, file, name, media_type, size, time.time()
        await self._database.write(lambda connection: connection.execute(sql, row) and None)

    async def get(self, user: str, file: str) -> Upload | None:
        """The user's upload of that file, or None."""
        sql = "SELECT user, file, name, media_type, size, created FROM uploads WHERE user = ? AND file = ?"
        row = await self._database.read(lambda connection: connection.execute(sql, (user, file)).fetchone())
        return None if row is None else Upload(*row)

    async def list(self, user: str, limit: int = 1_000) -> list[Upload]:
        """The user's uploads, the newest first."""
        sql = """
            SELECT user, file, name, media_type, size, created FROM uploads
            WHERE user = ? ORDER BY created DESC, file LIMIT ?
        """
        return await self._database.read(
            lambda connection: [Upload(*row) for row in connection.execute(sql, (user, limit))]
        )

    async def remove(self, user: str, file: str) -> bool:
        """Forget an upload; whether there was one."""
        sql = "DELETE FROM uploads WHERE user = ? AND file = ?"
        return await self._database.write(
            lambda connection: connection.execute(sql, (user, file)).rowcount > 0
        )
