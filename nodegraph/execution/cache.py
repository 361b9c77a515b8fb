"""The memory cache: results of nodes by key, within a byte budget.

Eviction is GreedyDual-Size (Cao & Irani 1997): an entry's worth is clock + seconds to rebuild / bytes, the
least worthy goes first, and the clock moves up to what was evicted, so that unused entries age.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nodegraph.codecs import tensors_in

_OVERHEAD = 512  # bytes of a small entry: its key, its dict, its objects
Outputs = Mapping[str, Any]


@dataclass(slots=True)
class CacheEntry:
    """The outputs of one node, what they weigh and what they cost."""

    outputs: Outputs
    size: int
    seconds: float
    worth: float


class MemoryCache:
    """Thread-safe. An entry larger than the whole budget is not kept."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self.evictions = 0
        self._clock = 0.0
        self._entries: dict[str, CacheEntry] = {}
        self._queue: list[tuple[float, str]] = []  # a worth that every entry once had; it only grows
        self._lock = threading.Lock()

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Outputs | None:
        """The outputs under a key, which counts as a use."""
        with self._lock:
            return self._use(key)

    def hold(self, keys: Iterable[str]) -> dict[str, Outputs] | None:
        """The outputs under all of the keys, or None if one of them is not there (any more)."""
        with self._lock:
            held = {key: self._use(key) for key in keys}
        found = {key: outputs for key, outputs in held.items() if outputs is not None}
        return found if len(found) == len(held) else None

    def put(self, key: str, outputs: Outputs, seconds: float) -> None:
        """Keep outputs that took `seconds` to make, evicting the least worthy where they do not fit."""
        size = size_of(outputs)
        with self._lock:
            if key in self._entries or size > self.budget:
                return
            while self.used + size > self.budget:
                self._evict()
            entry = CacheEntry(outputs, size, seconds, self._worth(seconds, size))
            self._entries[key] = entry
            heapq.heappush(self._queue, (entry.worth, key))
            self.used += size

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._queue.clear()
            self.used = 0

    def _use(self, key: str) -> Outputs | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.worth = self._worth(entry.seconds, entry.size)
        return entry.outputs

    def _worth(self, seconds: float, size: int) -> float:
        return self._clock + seconds / size

    def _evict(self) -> None:
        worth, key = heapq.heappop(self._queue)
        entry = self._entries[key]
        if entry.worth > worth:  # it was used since: back into the queue with its present worth
            heapq.heappush(self._queue, (entry.worth, key))
            return
        del self._entries[key]
        self._clock = max(self._clock, entry.worth)
        self.used -= entry.size
        self.evictions += 1


def size_of(outputs: Outputs) -> int:
    """Bytes of all tensors in the outputs, storage that is shared counted once, plus a small overhead."""
    storages: dict[int, int] = {
        storage.data_ptr(): storage.nbytes()
        for tensor in tensors_in(outputs)
        for storage in [tensor.untyped_storage()]
    }
    items = sum(len(value) for value in outputs.values() if isinstance(value, str | list | tuple))
    return _OVERHEAD + 8 * items + sum(storages.values())
