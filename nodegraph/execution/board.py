"""What the nodes of a run wait for: who may start, whose result is still read, and who never will run.

Every node has a slot. A node may start when all that it reads eagerly is there; a result is let go when its
last reader is done. A dormant node, which only lazy inputs read, is prepared like any other but starts when
somebody asks for it; when the last node that could ask is done, it is retired. Nothing here recurses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from nodegraph.execution.plan import Plan, PlanEntry

Outputs = Mapping[str, Any]
_NOTHING: Outputs = MappingProxyType({})


class Slot:
    """One node of a run.

    unread: how many nodes, and the caller, still read its result; waiting: how many results it lacks;
    readers: who reads its result eagerly; outputs: the result, once it is done and while it is read;
    dormant: it waits to be asked for; dead: it failed, or will never run because one before it did.
    """

    __slots__ = ("dead", "done", "dormant", "entry", "outputs", "readers", "unread", "waiting")

    def __init__(self, entry: PlanEntry, unread: int) -> None:
        self.entry = entry
        self.unread = unread
        self.waiting = 0
        self.readers: list[Slot] = []
        self.outputs: Outputs = _NOTHING
        self.done = self.dormant = self.dead = False


class Board:
    """The slots of one run, by node id, and the queue of those that may start."""

    def __init__(self, plan: Plan) -> None:
        wanted = set(plan.targets)
        self.slots = {id_: Slot(entry, int(id_ in wanted)) for id_, entry in plan.entries.items()}
        self.ready: deque[Slot] = deque()

    def await_sources(self, slot: Slot) -> None:
        """Count what a node reads; what is reused must be there. A lazy input is read later, but is kept."""
        slots, entry = self.slots, slot.entry
        eager, sources = entry.node.eager, entry.node.sources
        waiting = 0
        for source in sources:
            read = slots[source]
            read.unread += 1
            if eager is sources or source in eager:
                read.readers.append(slot)
                if not read.done:
                    waiting += 1
        slot.waiting = waiting
        if entry.action == "maybe":
            slot.dormant = True
        elif not waiting:
            self.ready.append(slot)

    def drop_unread(self) -> None:
        """Let go of what is reused and read by nobody."""
        for slot in self.slots.values():
            if slot.unread == 0:
                slot.outputs = _NOTHING

    def give(self, slot: Slot, outputs: Outputs) -> None:
        """A node's result is there: whoever lacked only that may start."""
        slot.done = True
        if slot.unread:
            slot.outputs = outputs
        for reader in slot.readers:
            reader.waiting = left = reader.waiting - 1
            if left == 0 and not reader.dormant:
                self.ready.append(reader)

    def release(self, slot: Slot) -> None:
        """Let go of what a node read, and retire dormant nodes that nobody can ask for any more."""
        slots, stack = self.slots, [slot]
        while stack:
            for source in stack.pop().entry.node.sources:
                read = slots[source]
                read.unread = left = read.unread - 1
                if left == 0:
                    read.outputs = _NOTHING
                    if read.dormant:
                        read.dormant = False
                        stack.append(read)

    def wake(self, slot: Slot) -> None:
        """Let a dormant node start, and those that it reads."""
        stack = [slot]
        while stack:
            woken = stack.pop()
            if woken.dormant:
                woken.dormant = False
                if woken.waiting == 0:
                    self.ready.append(woken)
                stack.extend(self.slots[source] for source in woken.entry.node.eager)

    def bury(self, slot: Slot) -> Iterator[Slot]:
        """A node failed: it and all that is downstream of it are dead. Gives those that were to run."""
        slot.dead = True
        stack = list(slot.readers)
        while stack:
            reader = stack.pop()
            if reader.dead:
                continue
            reader.dead = True
            if not reader.dormant:
                yield reader
            reader.dormant = False
            self.release(reader)
            stack.extend(reader.readers)
