"""How long things are kept: old jobs are forgotten, and the pictures that no job names any more."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from msgspec import Struct

from nodegraph.errors import NodegraphError
from nodegraph.jobs.store import JobStore

log = logging.getLogger(__name__)
EVERY = 600.0
YOUNG = 3600.0
"""Seconds for which a file is left alone: its job may not be written yet."""


class Keep(Struct, frozen=True):
    """jobs: how many that are over are kept; days: how long (None: for ever)."""

    jobs: int = 10_000
    days: float | None = None


async def tidy(store: JobStore, files: Path, keep: Keep) -> tuple[int, int]:
    """Forget what is too old or too much; how many jobs and files that were."""
    before = time.time() - keep.days * 86_400 if keep.days is not None else None
    jobs = await store.prune(keep.jobs, before)
    named = await store.all_made()
    return jobs, await asyncio.to_thread(_remove_unnamed, files, named)


async def tidy_for_ever(store: JobStore, files: Path, keep: Keep) -> None:
    """Tidy now and then. What fails is logged and tried again."""
    while True:
        try:
            jobs, removed = await tidy(store, files, keep)
            if jobs or removed:
                log.info("forgot %d old jobs and %d files that no job names", jobs, removed)
        except (NodegraphError, OSError) as error:
            log.warning("tidying failed: %s", error)
        await asyncio.sleep(EVERY)


def _remove_unnamed(folder: Path, named: frozenset[str]) -> int:
    removed, old = 0, time.time() - YOUNG
    for path in folder.glob("??/*"):
        if path.name not in named and path.stat().st_mtime < old:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
