"""How a server runs."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nodegraph.errors import InputError
from nodegraph.server.tokens import folder_of

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ServerSettings(Struct, frozen=True, kw_only=True):
    """workers: devices, one worker each ("cpu,cpu" makes two); retries: how often a job is tried again whose
    worker died; grace: seconds that a cancelled job has; body: bytes of a request; hosts: names besides the
    loopback ones by which the server may be called; offline: call nobody; keep_jobs, keep_days: how many jobs
    that are over are kept, and how long.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8188
    workers: tuple[str, ...] = ("auto",)
    dtype: str = "auto"
    accelerate: str = "off"
    packs: tuple[str, ...] = ()
    retries: int = 2
    grace: float = 10.0
    silence: float = 120.0
    memory: int | None = None
    body: int = 64 * 2**20
    hosts: tuple[str, ...] = ()
    offline: bool = False
    keep_jobs: int = 10_000
    keep_days: float | None = None

    def folder_of(self, user: str) -> Path:
        """Where a user's pictures lie."""
        return self.data_dir / folder_of(user)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK


def worker_devices(text: str) -> tuple[str, ...]:
    """`cpu,cpu` as devices. InputError where there is none."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise InputError("no workers are named", input="workers", expected="auto, cpu, cuda:0 …, by commas")
    return found
