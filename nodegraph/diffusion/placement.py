"""Decide what goes where: whole on the device, streamed through it, evicted to the host, or dropped.

A pure function of sizes and budgets; nothing here knows torch or moves a byte. The order is documented in
`docs/memory.md`: idle things leave before anything is streamed, the cheapest to bring back per byte first;
what leaves the device goes to the host while there is room, pushing out only what is cheaper still; a load
that does not fit even then is streamed, with its largest blocks resident.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

from nodegraph.errors import NodegraphError

Tier = Literal["device", "host"]

AHEAD = 2
"""Blocks of a streamed load that are on the device at once: the one that runs and the next."""


class ModelMemoryError(NodegraphError):
    """Weights do not fit into the budget. `needed` and `available` are bytes."""

    code = "model_memory"

    def __init__(self, what: str, needed: int, available: int, budget: int, tier: Tier = "device") -> None:
        self.needed, self.available = needed, available
        busy = budget - available
        super().__init__(
            f"{what} does not fit into the memory that is set aside for models on the {tier}",
            expected=f"at least {needed:,} bytes",
            found=f"{available:,} bytes"
            + (f" ({busy:,} of {budget:,} are in use or pinned)" if busy else ""),
            remedy="Raise the budget, unpin a model, or use a smaller model or dtype.",
        )


@dataclass(frozen=True, slots=True)
class Budgets:
    """Bytes for weights on the device and on the host; None: no limit. Host 0: nothing is kept there."""

    device: int | None
    host: int | None = 0

    def of(self, tier: Tier) -> int | None:
        """The budget of a tier."""
        return self.device if tier == "device" else self.host


@dataclass(frozen=True, slots=True)
class Held:
    """Something that takes memory. busy: in use or pinned; needs: keys whose memory it refers to.

    The lowest priority leaves first. movable: it can go to the host instead of being dropped.
    """

    key: Hashable
    tier: Tier
    bytes: int
    priority: float = 0.0
    busy: bool = False
    needs: tuple[Hashable, ...] = ()
    movable: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What has to be placed. blocks: bytes of every part that can be streamed, in running order.

    reserve: bytes that are to stay free beside it for what will be built on it (a patch overlay);
    on_blocks: such bytes for each block, needed only where the block is resident.
    """

    what: str
    bytes: int
    blocks: tuple[int, ...] = ()
    reserve: int = 0
    on_blocks: tuple[int, ...] = ()

    def beside(self, streamed: Collection[int] = ()) -> int:
        """Bytes that stay free beside the load, where these blocks are streamed."""
        return self.reserve + sum(size for index, size in enumerate(self.on_blocks) if index not in streamed)


@dataclass(frozen=True, slots=True)
class Move:
    """One eviction: to the host, or to nothing (None)."""

    key: Hashable
    to: Tier | None


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do: the evictions in order, which blocks are streamed (none: whole), and the bytes taken.

    ahead: how many streamed blocks are on the device at once: 2, or 1 where there is no room to prefetch.
    """

    moves: tuple[Move, ...]
    streamed: tuple[int, ...]
    bytes: int
    ahead: int = 0


def place(load: Load, held: Iterable[Held], budgets: Budgets) -> Placement:
    """Where the load goes. ModelMemoryError where it does not fit even when it is streamed."""
    table = _Table(held, budgets)
    if budgets.device is None:
        return Placement((), (), load.bytes)
    available = max(0, budgets.device - table.busy_bytes("device"))
    if load.bytes + load.beside() <= available:
        return Placement(table.make_room("device", load.bytes + load.beside()), (), load.bytes)
    streamed, size, ahead = _stream(load, available, budgets.device)
    return Placement(table.make_room("device", size + load.beside(streamed)), streamed, size, ahead)


def place_on_host(size: int, held: Iterable[Held], budgets: Budgets) -> tuple[Move, ...] | None:
    """The evictions that make room on the host; None where it cannot hold so much."""
    if budgets.host is None:
        return ()
    table = _Table(held, budgets)
    if size > budgets.host - table.busy_bytes("host"):
        return None
    return table.make_room("host", size)


def shrink(held: Iterable[Held], budgets: Budgets) -> tuple[Move, ...]:
    """The evictions that bring both tiers back into their budgets, as far as idle things allow."""
    table = _Table(held, budgets)
    return (*table.make_room("device", 0), *table.make_room("host", 0))


def _stream(load: Load, available: int, budget: int) -> tuple[tuple[int, ...], int, int]:
    """Which blocks are streamed, the bytes taken, and how many blocks are there at once.

    The largest blocks stay: that makes the window small and the traffic least. As many as fit.
    """
    order = sorted(range(len(load.blocks)), key=lambda index: (-load.blocks[index], index))
    fixed = load.bytes - sum(load.blocks)
    for ahead in (AHEAD, 1):
        for kept in reversed(range(len(order))):
            streamed = order[kept:]
            window = sum(load.blocks[index] for index in streamed[:ahead])
            size = fixed + sum(load.blocks[index] for index in order[:kept]) + window
            if size + load.beside(streamed) <= available and len(streamed) > ahead:
                return tuple(sorted(streamed)), size, ahead
    needed = fixed + load.reserve + max(load.blocks, default=0)
    raise ModelMemoryError(load.what, needed, available, budget)


class _Table:
    """What is held, while evictions are decided one after another."""

    def __init__(self, held: Iterable[Held], budgets: Budgets) -> None:
        self._held = {entry.key: entry for entry in held}
        self._budgets = budgets

    def busy_bytes(self, tier: Tier) -> int:
        """Bytes that cannot be had: in use, pinned, or the ground under something that is."""
        return sum(e.bytes for e in self._held.values() if e.tier == tier and not self._idle(e.key))

    def make_room(self, tier: Tier, size: int) -> tuple[Move, ...]:
        """Evict from a tier until `size` more bytes fit, or nothing idle is left."""
        moves: list[Move] = []
        while self._over(tier, size):
            victim = self._next_victim(tier)
            if victim is None:
                break
            moves += self._evict(victim, tier)
        return tuple(moves)

    def _over(self, tier: Tier, size: int) -> bool:
        budget = self._budgets.of(tier)
        return budget is not None and self._used(tier) + size > budget

    def _used(self, tier: Tier) -> int:
        return sum(entry.bytes for entry in self._held.values() if entry.tier == tier)

    def _next_victim(self, tier: Tier, below: float = float("inf")) -> Held | None:
        """The idle entry of the lowest priority; of a group that goes together, whichever is lowest."""
        idle = [e for e in self._held.values() if e.tier == tier and self._frees(e) and self._idle(e.key)]
        victim = min(idle, key=lambda entry: entry.priority, default=None)
        return victim if victim is not None and victim.priority < below else None

    def _frees(self, entry: Held) -> bool:
        return entry.bytes > 0 or any(other.bytes > 0 for other in self._dependants(entry.key))

    def _dependants(self, key: Hashable) -> list[Held]:
        return [entry for entry in self._held.values() if key in entry.needs]

    def _idle(self, key: Hashable) -> bool:
        return not self._held[key].busy and all(self._idle(other.key) for other in self._dependants(key))

    def _evict(self, entry: Held, tier: Tier) -> list[Move]:
        """Drop what was built on the entry, then the entry, to the host where that pays."""
        moves: list[Move] = []
        for other in self._dependants(entry.key):
            if other.key in self._held:
                moves += [Move(key, None) for key in self._drop(other.key)]
        del self._held[entry.key]
        to_host = tier == "device" and entry.movable and self._host_room(entry, moves)
        moves.append(Move(entry.key, "host" if to_host else None))
        if to_host:
            self._held[entry.key] = Held(entry.key, "host", entry.bytes, entry.priority)
        return moves

    def _drop(self, key: Hashable) -> list[Hashable]:
        dropped: list[Hashable] = []
        for other in self._dependants(key):
            if other.key in self._held:
                dropped += self._drop(other.key)
        del self._held[key]
        return [*dropped, key]

    def _host_room(self, entry: Held, moves: list[Move]) -> bool:
        """Whether the host can take the entry; what is cheaper to bring back makes room there first."""
        budget = self._budgets.host
        if budget is None:
            return True
        staying = [e for e in self._held.values() if e.tier == "host" and not self._cheaper(e, entry)]
        if entry.bytes > budget - sum(e.bytes for e in staying):
            return False
        while self._over("host", entry.bytes):
            victim = self._next_victim("host", below=entry.priority)
            if victim is None:
                return False
            moves += self._evict(victim, "host")
        return True

    def _cheaper(self, one: Held, other: Held) -> bool:
        """Whether the first is idle and cheaper to bring back per byte than the second."""
        return one.priority < other.priority and self._idle(one.key)
