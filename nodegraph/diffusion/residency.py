"""What is in memory: built once, shared, pinned while used, moved and evicted as the planner says.

`placement` decides; this carries out. The priority of an entry is that of GreedyDual-Size (Cao & Irani
1997): the clock plus its rebuild seconds per byte; the lowest goes first and sets the clock. So large
things that are quick to make again leave before small things that are slow, and what nobody asks for any
more ages out however costly it was.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from nodegraph.diffusion.placement import (
    Budgets,
    Held,
    Load,
    ModelMemoryError,
    Move,
    Placement,
    Tier,
    place,
    place_on_host,
    shrink,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resident:
    """One entry in memory: what it is, for whom, its bytes and where, its users now, and why it is there."""

    what: str
    owner: str
    bytes: int
    users: int
    reason: str
    tier: Tier = "device"


class Room(NamedTuple):
    """What a build may count on: where it goes, and the value that waited on the host (else None)."""

    placement: Placement
    kept: Any = None


Demote = Callable[[Any], tuple[Any, int] | None]
"""A value on the device -> what is kept of it on the host and its bytes; None where it cannot go there."""


@dataclass(eq=False, slots=True)
class _Entry:
    what: str
    owner: str
    tier: Tier
    needs: tuple[Hashable, ...]
    demote: Demote | None
    placement: Placement
    size: int
    users: int = 1
    pins: int = 0
    cost: float = 0.0
    priority: float = 0.0
    value: Any = None
    built: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def busy(self) -> bool:
        return self.users > 0 or self.pins > 0


class _OnHost(NamedTuple):
    """The key of what was moved to the host."""

    key: Hashable


class Residency:
    """Holds built values by key within budgets of bytes. Thread-safe.

    What is in use or pinned, and everything it was built on, is never evicted. A thread that asks for what
    only fits once others are finished waits for them; one that holds something itself would wait for ever
    and gets a ModelMemoryError, as does everyone whose value fits in no way.
    """

    def __init__(self, budgets: Budgets, timer: Callable[[], float] = time.perf_counter) -> None:
        self.budgets = budgets
        self._timer = timer
        self._changed = threading.Condition()
        self._entries: dict[Hashable, _Entry] = {}
        self._holding: Counter[int] = Counter()
        self._reserved: dict[int, int] = {}
        self._clock = 0.0
        self._moves = {"evictions": 0, "moved_to_host": 0, "moved_to_device": 0}

    @contextmanager
    def hold(
        self,
        key: Hashable,
        build: Callable[[Room], tuple[T, int]],
        *,
        what: str,
        owner: str,
        expected_bytes: int = 0,
        blocks: tuple[int, ...] = (),
        reserve: int = 0,
        on_blocks: tuple[int, ...] = (),
        wait: bool = True,
        needs: tuple[Hashable, ...] = (),
        demote: Demote | None = None,
        tier: Tier = "device",
    ) -> Iterator[T]:
        """The value of the key, built by the first who asks (others wait), pinned inside the `with`.

        build gives the value and the bytes it adds to memory. Room for `expected_bytes` is made before it
        runs; where `blocks` are named they may be streamed, and the placement that build is given says
        which. `reserve` and `on_blocks` are the bytes that stay free for what this thread builds on it (see
        `Load`). Without `wait` nothing is waited for that others use. `needs` are keys that the value
        refers to; hold them around this call: they then stay for as long as the value does. What build
        raises goes to the caller, and the next one builds anew. ModelMemoryError: it does not fit.
        """
        load = Load(what, expected_bytes, blocks, reserve, on_blocks)
        new = _Entry(what, owner, tier, needs, demote, _NOWHERE, expected_bytes)
        entry = self._pin(key, build, load, new, wait=wait)
        thread = threading.get_ident()
        try:
            yield entry.value
        finally:
            with self._changed:
                entry.users -= 1
                self._holding[thread] -= 1
                if not self._holding[thread]:
                    del self._holding[thread]
                    self._reserved.pop(thread, None)
                self._carry_out(shrink(self._held(), self.budgets))
                self._changed.notify_all()

    def pin(self, key: Hashable, by: int = 1) -> None:
        """Keep an entry that is there (with what it was built on) until it is unpinned (by=-1)."""
        with self._changed:
            entry = self._entries.get(key)
            if entry is not None:
                for each in (entry, *(self._entries[need] for need in entry.needs)):
                    each.pins = max(0, each.pins + by)
                self._carry_out(shrink(self._held(), self.budgets))
                self._changed.notify_all()

    def drop(self, key: Hashable) -> None:
        """Let an entry go, with what was built on it, unless it is in use or pinned."""
        with self._changed:
            going = (*self._on(key), key) if key in self._entries else ()
            if not any(self._entries[each].busy for each in going):
                self._carry_out(Move(each, None) for each in going)
                self._changed.notify_all()

    def drop_idle(self) -> int:
        """Let everything go that is neither in use nor pinned; the bytes of it."""
        with self._changed:
            before = sum(entry.size for entry in self._entries.values())
            self._carry_out(shrink(self._held(), Budgets(0, 0)))
            self._changed.notify_all()
            return before - sum(entry.size for entry in self._entries.values())

    def has(self, key: Hashable) -> bool:
        """Whether the key's value is built and on its own tier."""
        with self._changed:
            entry = self._entries.get(key)
            return entry is not None and entry.built

    def placement(self, key: Hashable) -> Placement:
        """Where a value that is being held was placed."""
        with self._changed:
            return self._entries[key].placement

    def used_bytes(self, tier: Tier | None = None) -> int:
        """Bytes of everything that is held, on one tier or on both."""
        with self._changed:
            return sum(entry.size for entry in self._entries.values() if tier in (None, entry.tier))

    def counters(self) -> dict[str, int]:
        """`evictions`, `moved_to_host`, `moved_to_device` so far; bytes now: `resident_bytes` and by tier."""
        with self._changed:
            moves = dict(self._moves)
        host, total = self.used_bytes("host"), self.used_bytes()
        return moves | {"resident_bytes": total, "host_bytes": host, "device_bytes": total - host}

    def explain(self) -> list[Resident]:
        """Every entry, the largest first."""
        with self._changed:
            entries = sorted(self._entries.items(), key=lambda item: -item[1].size)
            return [
                Resident(e.what, e.owner, e.size, e.users, self._reason(key, e), e.tier) for key, e in entries
            ]

    def _pin(
        self, key: Hashable, build: Callable[[Room], tuple[Any, int]], load: Load, new: _Entry, *, wait: bool
    ) -> _Entry:
        thread = threading.get_ident()
        while True:
            with self._changed:
                entry = self._usable(key, load)
                mine = entry is None
                kept = None
                if entry is None:
                    kept = self._entries.get(_OnHost(key))
                    placement = self._placed(load, new.tier, kept, wait=wait)
                    if placement is None:
                        self._changed.wait()
                        continue
                    new.placement, new.size = placement, placement.bytes
                    entry = self._entries[key] = new
                else:
                    entry.users += 1
                self._holding[thread] += 1
                beside = load.beside(entry.placement.streamed)
                if beside:
                    self._reserved[thread] = beside
                elif mine and new.tier == "device" and thread in self._reserved:
                    self._reserved[thread] = max(0, self._reserved[thread] - load.bytes)
            if mine:
                self._build(key, entry, build, kept)
                return entry
            entry.done.wait()
            with self._changed:
                if entry.built:
                    self._refresh(entry)
                    return entry
                self._holding[thread] -= 1
            # Its builder failed and has removed it: try as if it had never been there.

    def _usable(self, key: Hashable, load: Load) -> _Entry | None:
        """The entry; None where it is to be placed anew.

        That is where what will be built on it has no room, or where it is streamed and would now fit whole.
        """
        entry = self._entries.get(key)
        budget = self.budgets.device
        if entry is None or budget is None or entry.busy or entry.tier == "host":
            return entry
        others = [other for other in self._held() if other.key != key and other.tier == "device"]
        room = budget - sum(other.bytes for other in others if other.busy)
        streamed = entry.placement.streamed
        whole_now = bool(streamed) and load.bytes + load.beside() <= room
        if not whole_now and entry.size + load.beside(streamed) <= room:
            return entry
        self._carry_out(Move(other, None) for other in self._on(key))
        moves = place_on_host(entry.size, self._held(), self.budgets) if entry.demote is not None else None
        self._carry_out((*(moves or ()), Move(key, None if moves is None else "host")))
        return None

    def _placed(self, load: Load, tier: Tier, kept: _Entry | None, *, wait: bool) -> Placement | None:
        """Room is made and the placement told; None: wait for what other threads use.

        What waits on the host for this load stays until the build is done.
        """
        if kept is not None:
            kept.users += 1
        try:
            placement = self._decide(load, tier)
        except ModelMemoryError:
            if kept is not None:
                kept.users -= 1
            alone = not any(self._holding.values()) or self._holding[threading.get_ident()] > 0
            if wait and not alone:
                return None
            raise
        self._carry_out(placement.moves)
        return placement

    def _decide(self, load: Load, tier: Tier) -> Placement:
        held = self._held()
        if tier == "device":
            return place(load, held, self.budgets)
        moves = place_on_host(load.bytes, held, self.budgets)
        if moves is None:
            budget = self.budgets.host or 0
            raise ModelMemoryError(load.what, load.bytes, self._host_room(held), budget, "host")
        return Placement(moves, (), load.bytes)

    def _host_room(self, held: Iterable[Held]) -> int:
        busy = sum(entry.bytes for entry in held if entry.tier == "host" and entry.busy)
        return max(0, (self.budgets.host or 0) - busy)

    def _build(
        self, key: Hashable, entry: _Entry, build: Callable[[Room], tuple[Any, int]], kept: _Entry | None
    ) -> None:
        start = self._timer()
        try:
            entry.value, size = build(Room(entry.placement, None if kept is None else kept.value))
            entry.built = True
        finally:
            with self._changed:
                if kept is not None:
                    kept.users -= 1
                if entry.built:
                    entry.size, entry.cost = size, self._timer() - start
                    if kept is not None and self._entries.pop(_OnHost(key), None) is not None:
                        entry.cost = kept.cost  # what it takes to read it again
                        self._moves["moved_to_device"] += 1
                    self._refresh(entry)
                    self._carry_out(shrink(self._held(), self.budgets))
                else:
                    del self._entries[key]
                    self._holding[threading.get_ident()] -= 1
                self._changed.notify_all()
            entry.done.set()

    def _held(self) -> list[Held]:
        """What the planner sees; the room that other threads reserved counts as in use."""
        held = [
            Held(key, e.tier, e.size, e.priority, e.busy, e.needs, movable=e.demote is not None)
            for key, e in self._entries.items()
        ]
        thread = threading.get_ident()
        reserved = sum(amount for owner, amount in self._reserved.items() if owner != thread)
        return [*held, Held("reserved", "device", reserved, busy=True)] if reserved else held

    def _carry_out(self, moves: Iterable[Move]) -> None:
        for move in moves:
            entry = self._entries.pop(move.key)
            self._clock = max(self._clock, entry.priority)
            demoted = entry.demote(entry.value) if move.to == "host" and entry.demote is not None else None
            if demoted is None:
                self._moves["evictions"] += 1
                continue
            entry.value, entry.size = demoted
            entry.tier, entry.needs, entry.demote = "host", (), None
            self._entries[_OnHost(move.key)] = entry
            self._moves["moved_to_host"] += 1

    def _on(self, key: Hashable) -> list[Hashable]:
        """Everything that was built on the key, what was built last first."""
        found: list[Hashable] = []
        for other, entry in list(self._entries.items()):
            if key in entry.needs and other not in found:
                found += [deeper for deeper in self._on(other) if deeper not in found]
                found.append(other)
        return found

    def _refresh(self, entry: _Entry) -> None:
        # What was built on other entries needs no disk to be built again: it leaves before those.
        entry.priority = self._clock + (0.0 if entry.needs else entry.cost / max(entry.size, 1))

    def _reason(self, key: Hashable, entry: _Entry) -> str:
        if not entry.built:
            return "being loaded"
        if entry.users:
            return f"in use by {entry.users}"
        if entry.pins:
            return "pinned"
        count = sum(key in other.needs for other in self._entries.values())
        if count:
            return f"shared by {count} loaded " + ("model" if count == 1 else "models")
        if isinstance(key, _OnHost):
            return "moved from the device, for when it is needed again"
        return "kept for the next run"


_NOWHERE = Placement((), (), 0)
