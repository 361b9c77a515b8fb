"""Who may do what: the owner's token, users with their own, and cookies for browsers.

Tokens are random (256 bits). The owner's lies in a file that only the owner can read; of users only digests
are kept. Tokens are compared in constant time and never logged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from nodegraph.errors import InputError
from nodegraph.execution.files import write_whole

OWNER = "owner"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class User(Struct, frozen=True):
    """A user besides the owner: the digest of the token, and when it was made (Unix seconds)."""

    name: str
    digest: str
    created: float


class Tokens:
    """The tokens of one data directory. The users' file is read again when it changes."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "token"
        self._users_file = data_dir / "users.json"
        self._users: dict[str, User] = {}
        self._read_at: tuple[int, int] | None = None
        data_dir.mkdir(parents=True, exist_ok=True)
        self.owner = self._own_token()

    def user_of(self, token: str) -> str | None:
        """The user whose token this is, or None."""
        self._refresh()
        found = OWNER if hmac.compare_digest(token.encode(), self.owner.encode()) else None
        digest = digest_of(token)
        for user in self._users.values():  # all of them: how long it takes says nothing
            if hmac.compare_digest(user.digest, digest):
                found = user.name
        return found

    def users(self) -> list[User]:
        """All users besides the owner, by name."""
        self._refresh()
        return [self._users[name] for name in sorted(self._users)]

    def add(self, name: str) -> str:
        """Make a user; the token, which is not kept. InputError: the name is taken or no name."""
        self._refresh()
        if not _NAME.fullmatch(name) or name == OWNER:
            raise InputError(
                "this is no name for a user", input="name", found=f"'{name}'",
                expected="a small letter, then small letters, digits, '-' and '_', at most 32",
            )  # fmt: skip
        if name in self._users:
            raise InputError(f"there is a user '{name}' already", code="user_exists", input="name")
        token = secrets.token_urlsafe(32)
        self._users[name] = User(name, digest_of(token), time.time())
        self._write()
        return token

    def renew(self, name: str) -> str:
        """A new token for a user; the old one ends. InputError: there is no such user."""
        self.remove(name)
        return self.add(name)

    def remove(self, name: str) -> None:
        """Let a user in no more. InputError: there is none of that name."""
        self._refresh()
        if self._users.pop(name, None) is None:
            raise InputError(f"there is no user '{name}'", code="unknown_user", input="name")
        self._write()

    def _own_token(self) -> str:
        try:
            return self._file.read_text("ascii").strip()
        except FileNotFoundError:
            pass
        token = secrets.token_urlsafe(32)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        return token

    def _refresh(self) -> None:
        try:
            status = self._users_file.stat()
        except FileNotFoundError:
            self._users, self._read_at = {}, None
            return
        stamp = status.st_mtime_ns, status.st_ino
        if stamp != self._read_at:
            users = msgspec.json.decode(self._users_file.read_bytes(), type=list[User])
            self._users, self._read_at = {user.name: user for user in users}, stamp

    def _write(self) -> None:
        text = json.dumps([msgspec.to_builtins(user) for user in self._users.values()], indent=1)

        def write(path: Path) -> None:
            path.touch(mode=0o600)
            path.write_text(text, "utf-8")

        write_whole(self._users_file, write)
        self._users_file.chmod(0o600)
        self._read_at = None


def folder_of(user: str) -> str:
    """Where a user's pictures lie in the data directory; the owner's lie in it directly."""
    return "" if user == OWNER else f"users/{user}"


def digest_of(token: str) -> str:
    """What is kept of a user's token. It is random and long: a plain digest tells nothing of it."""
    return hashlib.sha256(token.encode()).hexdigest()
