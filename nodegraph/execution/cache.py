"""The memory cache: results of nodes by key, within a byte budget.

Eviction is GreedyDual-Size (Cao & Irani 1997): an entry's worth is clock + seconds to rebuild / bytes, the
least worthy goes first, and the clock moves up to what was evicted, so that unused entries age. A pinned key
counts in the budget and stays.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from nodegraph.codecs import tensors_in

_OVERHEAD = 512  # bytes of a small entry: its key, its dict, its objects
_ITEMS = (str, list, tuple)
_SMALL = frozenset({bool, int, float, type(None)})
_PLAIN = _SMALL | {str}  # there is no tensor in these
Outputs = Mapping[str, Any]


class CacheEntry(Struct, gc=False):
    """The outputs of one node, what they weigh and what they cost."""

    outputs: Outputs
    size: int
    seconds: float
    worth: float
    node: str = ""
    queued: bool = False
    """Whether the queue of those to evict knows it; a pinned entry drops out when its turn comes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept under a key, for people.

    node: the type of the node that made it; size: bytes; seconds: what it took; worth: the least worthy goes
    first (on disk: when it was last used, Unix time); tier: "memory" or "disk"; pinned: it stays.
    """

    key: str
    node: str
    size: int
    seconds: float
    worth: float
    tier: str = "memory"
    pinned: bool = False


class MemoryCache:
    """Thread-safe. An entry larger than the whole budget is not kept."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self.evictions = 0
        self._clock = 0.0
        self._entries: dict[str, CacheEntry] = {}
        self._queue: list[tuple[float, str]] = []  # a worth that every entry once had; it only grows
        self._new: list[str] = []  # not in the queue yet: most runs never evict
        self._pins: set[str] = set()
        self._pinned_bytes = 0
        self._lock = threading.Lock()

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def keys(self) -> Container[str | None]:
        """A view of the keys that are kept."""
        return self._entries.keys()

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

    def size(self, key: str) -> int:
        """The bytes of what is kept under a key, 0 where nothing is. That is no use of it."""
        entry = self._entries.get(key)
        return 0 if entry is None else entry.size

    def put(self, key: str, outputs: Outputs, seconds: float, node: str = "") -> int:
        """Keep outputs that took `seconds` to make, evicting the least worthy where they do not fit.

        Gives their size, kept or not. `node` is the type of the node that made them, for `explain`.
        """
        size = size_of(outputs)
        entries = self._entries
        with self._lock:
            if key in entries or size > self.budget - self._pinned_bytes:
                return size
            while self.used + size > self.budget:
                self._evict()
            entries[key] = CacheEntry(outputs, size, seconds, self._clock + seconds / size, node)
            self.used += size
            if key in self._pins:
                self._pinned_bytes += size
            else:
                self._new.append(key)
        return size

    def pin(self, key: str) -> bool:
        """Never evict this key, now or when it is made. Whether it is held now."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and key not in self._pins:
                self._pinned_bytes += entry.size
            self._pins.add(key)
            return entry is not None

    def unpin(self, key: str) -> None:
        """Let the key be evicted again."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and key in self._pins:
                self._pinned_bytes -= entry.size
                if not entry.queued:
                    self._new.append(key)
            self._pins.discard(key)

    def discard(self, key: str) -> None:
        """Forget one key, whether pinned or not."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is not None:
                self.used -= entry.size
                self._pinned_bytes -= entry.size if key in self._pins else 0

    def explain(self) -> list[Kept]:
        """Every entry, the most worthy first."""
        with self._lock:
            found = [
                Kept(key, entry.node, entry.size, entry.seconds, entry.worth, pinned=key in self._pins)
                for key, entry in self._entries.items()
            ]
        return sorted(found, key=lambda kept: -kept.worth)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._queue.clear()
            self._new.clear()
            self.used = self._pinned_bytes = 0

    def _use(self, key: str) -> Outputs | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.worth = self._worth(entry.seconds, entry.size)
        return entry.outputs

    def _worth(self, seconds: float, size: int) -> float:
        return self._clock + seconds / size

    def _enqueue(self, key: str, entry: CacheEntry) -> None:
        entry.queued = True
        heapq.heappush(self._queue, (entry.worth, key))

    def _evict(self) -> None:
        for key in self._new:
            entry = self._entries.get(key)
            if entry is not None and not entry.queued:
                self._enqueue(key, entry)
        self._new.clear()
        worth, key = heapq.heappop(self._queue)
        entry = self._entries.get(key)
        if entry is None:  # it was discarded
            return
        if key in self._pins:
            entry.queued = False
            return
        if entry.worth > worth:  # it was used since: back into the queue with its present worth
            self._enqueue(key, entry)
            return
        del self._entries[key]
        self._clock = max(self._clock, entry.worth)
        self.used -= entry.size
        self.evictions += 1


def size_of(outputs: Outputs) -> int:
    """Bytes of all tensors in the outputs, storage that is shared counted once, plus a small overhead."""
    size = _OVERHEAD
    if len(outputs) == 1 and type(*outputs.values()) in _SMALL:
        return size
    for value in outputs.values():
        if isinstance(value, _ITEMS):
            size += 8 * len(value)
    if _PLAIN.issuperset(map(type, outputs.values())):
        return size
    storages: dict[int, int] = {
        storage.data_ptr(): storage.nbytes()
        for tensor in tensors_in(outputs)
        for storage in [tensor.untyped_storage()]
    }
    return size + sum(storages.values())
