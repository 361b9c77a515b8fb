"""What is in memory: built once, shared, pinned while used, evicted within a budget.

Eviction is GreedyDual-Size (Cao & Irani 1997): an entry's priority is the clock plus its rebuild seconds
per byte; the lowest goes first and sets the clock. So large things that are quick to make again leave
before small things that are slow, and what nobody asks for any more ages out however costly it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resident:
    """One entry in memory: what it is, for whom, its bytes, its users right now, and why it is there."""

    what: str
    owner: str
    bytes: int
    users: int
    reason: str


@dataclass(eq=False, slots=True)
class _Entry:
    what: str
    owner: str
    needs: tuple[Hashable, ...]
    size: int
    users: int = 1
    cost: float = 0.0
    priority: float = 0.0
    value: Any = None
    built: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class Residency:
    """Holds built values by key within a budget of bytes (None: no limit). Thread-safe.

    An entry that is in use, and everything it was built on, is never evicted: the budget is exceeded only
    while what is in use alone exceeds it.
    """

    def __init__(self, budget_bytes: int | None, timer: Callable[[], float] = time.perf_counter) -> None:
        self._budget = budget_bytes
        self._timer = timer
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}
        self._clock = 0.0
        self.evictions = 0

    @contextmanager
    def hold(
        self,
        key: Hashable,
        build: Callable[[], tuple[T, int]],
        *,
        what: str,
        owner: str,
        expected_bytes: int = 0,
        needs: tuple[Hashable, ...] = (),
    ) -> Iterator[T]:
        """The value of the key, built by the first who asks (others wait), pinned inside the `with`.

        build gives the value and the bytes it adds to memory. Room for `expected_bytes` is made before it
        runs. `needs` are keys that the value refers to; hold them around this call: they then stay for as
        long as the value does. What build raises goes to the caller, and the next one builds anew.
        """
        entry = self._pin(key, build, what, owner, expected_bytes, needs)
        try:
            yield entry.value
        finally:
            with self._lock:
                entry.users -= 1
                self._make_room(0)

    @property
    def used_bytes(self) -> int:
        """Bytes of everything that is resident."""
        with self._lock:
            return self._used()

    def explain(self) -> list[Resident]:
        """Every entry, the largest first."""
        with self._lock:
            entries = sorted(self._entries.items(), key=lambda item: -item[1].size)
            return [
                Resident(entry.what, entry.owner, entry.size, entry.users, self._reason(key, entry))
                for key, entry in entries
            ]

    def _pin(
        self,
        key: Hashable,
        build: Callable[[], tuple[Any, int]],
        what: str,
        owner: str,
        expected_bytes: int,
        needs: tuple[Hashable, ...],
    ) -> _Entry:
        while True:
            with self._lock:
                entry = self._entries.get(key)
                mine = entry is None
                if entry is None:
                    self._make_room(expected_bytes)
                    entry = self._entries[key] = _Entry(what, owner, needs, expected_bytes)
                else:
                    entry.users += 1
            if mine:
                self._build(key, entry, build)
                return entry
            entry.done.wait()
            if entry.built:
                with self._lock:
                    self._refresh(entry)
                return entry
            # Its builder failed and has removed it: try as if it had never been there.

    def _build(self, key: Hashable, entry: _Entry, build: Callable[[], tuple[Any, int]]) -> None:
        start = self._timer()
        try:
            entry.value, size = build()
            entry.built = True
        finally:
            with self._lock:
                if entry.built:
                    entry.size, entry.cost = size, self._timer() - start
                    self._refresh(entry)
                    self._make_room(0)
                else:
                    del self._entries[key]
            entry.done.set()

    def _refresh(self, entry: _Entry) -> None:
        entry.priority = self._clock + entry.cost / max(entry.size, 1)

    def _used(self) -> int:
        return sum(entry.size for entry in self._entries.values())

    def _make_room(self, expected: int) -> None:
        """Evict the lowest priorities until the expected bytes fit, or nothing is left to evict."""
        if self._budget is None:
            return
        while self._used() + expected > self._budget:
            idle = [key for key, entry in self._entries.items() if entry.size > 0 and self._is_idle(key)]
            if not idle:
                return
            victim = min(idle, key=lambda key: self._entries[key].priority)
            self._clock = max(self._clock, self._entries[victim].priority)
            self._evict(victim)

    def _is_idle(self, key: Hashable) -> bool:
        """Whether neither the entry nor anything built on it is in use."""
        if self._entries[key].users > 0:
            return False
        return all(self._is_idle(other) for other, entry in self._entries.items() if key in entry.needs)

    def _evict(self, key: Hashable) -> None:
        """Remove an entry and what was built on it: those would keep its memory alive."""
        for other in [other for other, entry in self._entries.items() if key in entry.needs]:
            self._evict(other)
        del self._entries[key]
        self.evictions += 1

    def _reason(self, key: Hashable, entry: _Entry) -> str:
        if not entry.built:
            return "being loaded"
        if entry.users:
            return f"in use by {entry.users}"
        count = sum(key in other.needs for other in self._entries.values())
        if count:
            return f"shared by {count} loaded " + ("model" if count == 1 else "models")
        return "kept for the next run"
