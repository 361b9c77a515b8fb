"""Both tiers of the cache as one: memory for this process, and the disk for all of them and the next.

What goes to disk: results of pure nodes without a volatile one upstream, that are dearer to make again than
to read back (`worth_a_file`). They are written on a thread of their own, which a run awaits before it
returns. A result that cannot be written costs a warning, never a run; a folder that cannot be written costs
one warning before the work.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from nodegraph.declare import NodeType
from nodegraph.execution.cache import MemoryCache
from nodegraph.execution.disk import DiskCache
from nodegraph.execution.files import why_unwritable
from nodegraph.execution.plan import Plan, PlanEntry, may_be_stored

log = logging.getLogger(__name__)
_OPENING = 0.05  # seconds that it takes, at worst, to find and open a file
_READING = 200e6  # bytes per second that a slow disk gives
_BACKLOG = 2**29  # bytes of results that may wait for the disk
Outputs = Mapping[str, Any]


def worth_a_file(type_: NodeType, seconds: float, size: int) -> bool:
    """Whether a result of `size` bytes that took `seconds` is dearer to make again than to read back.

    What computes with weights always is: another process would have to load them first.
    """
    return type_.lane == "device" or seconds >= _OPENING + size / _READING


class Tiers:
    """The cache that runs read and write. Thread-safe."""

    def __init__(self, memory: MemoryCache, disk: DiskCache | None) -> None:
        self.memory = memory
        self.disk = disk
        self.writable = True
        self._writer = ThreadPoolExecutor(1, "disk-cache")
        self._lock = threading.Lock()
        self._writing: dict[Future[None], int] = {}

    def hold(self, plan: Plan, given: Mapping[str, Outputs] | None = None) -> dict[str, Outputs] | None:
        """The outputs that a plan reuses, by key, or None if one of them is not there (any more).

        given: outputs that need not be looked for, because they come from outside.
        """
        given = given or {}
        wanted = [entry.key for entry in plan.with_action("memory") if entry.key and entry.key not in given]
        held = self.memory.hold(wanted)
        if held is None:
            return None
        held.update(given)
        for entry in plan.with_action("disk"):
            if entry.key is not None and self.disk is not None:
                found = self.disk.get(entry.key)
                if found is None:
                    return None
                held[entry.key] = found[0]
                self.memory.put(entry.key, *found, entry.node.type.id)
        return held

    def notice_unwritable(self) -> None:
        """Say before the work, and once, that nothing can be kept on disk. What lies there is still read."""
        reason = why_unwritable(self.disk.folder) if self.disk is not None and self.writable else ""
        if reason:
            self.writable = False
            log.warning(
                "nothing is kept on disk for later runs: %s; free its permissions, or name another data "
                "directory (--data-dir or NODEGRAPH_DATA)", reason,
            )  # fmt: skip

    def keep(self, entry: PlanEntry, outputs: Outputs, seconds: float) -> int:
        """Keep a fresh result of a keyed node where its kind of result belongs; its size in bytes."""
        assert entry.key is not None  # noqa: S101 - whoever ran has a key
        type_ = entry.node.type
        size = self.memory.put(entry.key, outputs, seconds, type_.id)
        if type_.runs_at_once or self.disk is None or not self.writable:
            return size
        if not entry.lasting or not may_be_stored(type_):
            return size
        if worth_a_file(type_, seconds, size):
            with self._lock:
                written = self._writer.submit(self._write, self.disk, entry.key, outputs, seconds, type_.id)
                self._writing[written] = size
            written.add_done_callback(self._written)
        return size

    @property
    def crowded(self) -> bool:
        """Whether more results wait for the disk than memory should hold for it."""
        return sum(self._writing.values()) > _BACKLOG

    async def written(self) -> None:
        """Wait until everything that was to be written is."""
        with self._lock:
            waiting = list(self._writing)
        if waiting:
            await asyncio.shield(asyncio.wait([asyncio.wrap_future(future) for future in waiting]))

    def close(self) -> None:
        """Wait until everything is written, and end the thread."""
        self._writer.shutdown()

    def _write(self, disk: DiskCache, key: str, outputs: Outputs, seconds: float, node: str) -> None:
        try:
            if key not in disk:
                disk.put(key, outputs, seconds, node)
        except Exception as error:  # noqa: BLE001 - a full disk, a value without codec: the run has its result
            log.warning("a result of %s is not kept on disk: %s", node, error)

    def _written(self, future: Future[None]) -> None:
        with self._lock:
            del self._writing[future]
