"""The finished pictures that nodes show: the last one of each node, kept when its job is over.

While a job runs they are held in memory: to keep one costs a run nothing. With the end of the job they become
files among the pictures that jobs made, and go when no job names them any more.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nodegraph.workers.results import keep

log = logging.getLogger(__name__)
MOST = 100
"""Nodes of one job whose pictures are kept: a loop may show any number."""
LARGEST = 8 * 2**20


class Shown:
    """What the nodes of running jobs have shown so far. root: where the pictures of jobs lie."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._jobs: dict[str, dict[str, bytes]] = {}

    def heard(self, job: str, node: str, image: bytes) -> None:
        """A node of a running job showed a finished picture (JPEG)."""
        held = self._jobs.setdefault(job, {})
        if len(image) <= LARGEST and (node in held or len(held) < MOST):
            held[node] = image

    def of(self, job: str, node: str) -> bytes | None:
        """The picture that a node of a running job showed last."""
        return self._jobs.get(job, {}).get(node)

    async def keep(self, job: str) -> bytes | None:
        """Write the pictures of a job that is over; their files by node as JSON, None without any."""
        held = self._jobs.get(job)
        if not held:
            return None
        try:
            return msgspec.json.encode(await asyncio.to_thread(self._write, dict(held)))
        except OSError as error:  # a full disk costs the pictures, never the job
            log.warning("what nodes showed is not kept: %s", error, extra={"job": job})
            return None

    async def read(self, name: str) -> bytes | None:
        """A picture that was kept; None where it is gone."""
        try:
            return await asyncio.to_thread((self._root / name[:2] / name).read_bytes)
        except OSError:
            return None

    def forget(self, job: str) -> None:
        """The job runs no more."""
        self._jobs.pop(job, None)

    def _write(self, pictures: Mapping[str, bytes]) -> Mapping[str, Mapping[str, Any]]:
        self._root.mkdir(parents=True, exist_ok=True)
        files: dict[str, Mapping[str, Any]] = {}
        with tempfile.TemporaryDirectory(dir=self._root, prefix=".new-") as folder:
            for node, image in pictures.items():
                path = Path(folder) / "picture.jpg"
                path.write_bytes(image)
                files[node] = keep(self._root, path, "image/jpeg")
        return files
