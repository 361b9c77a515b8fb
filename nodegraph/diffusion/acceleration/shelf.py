"""Where captured steps are kept: one for each model and signature, in the memory budget.

A step has copies of the weights that the recipes so far have patched, so it serves them all. Only a recipe
that patches others as well has it captured anew, with all of these; the earlier one goes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nodegraph.diffusion.acceleration.captured import CapturedStep
from nodegraph.diffusion.residency import Residency, Room


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that somebody wants to replay.

    signature: of its arguments and of how it is captured; patched: the weights that differ from the file's.
    weigh gives the bytes of copies of weights, build the step with copies of these.
    """

    signature: Hashable
    patched: frozenset[str]
    weigh: Callable[[Collection[str]], int]
    build: Callable[[Collection[str]], CapturedStep]


class StepShelf:
    """Holds captured steps in a residency. Thread-safe."""

    def __init__(self, resident: Residency) -> None:
        self._resident = resident
        self._lock = threading.Lock()
        self._own: dict[Hashable, frozenset[str]] = {}
        self._bytes: dict[Hashable, int] = {}

    @contextmanager
    def hold(self, wanted: Wanted, ground: Hashable, owner: str) -> Iterator[CapturedStep]:
        """A step that serves what is wanted; it goes when its `ground` goes, the base weights that it reads.

        ModelMemoryError: there is no room for it, which is known beforehand but for the first time.
        """
        own = self._choose(wanted, ground)
        key = ("step", ground, wanted.signature, own)

        def build(room: Room) -> tuple[CapturedStep, int]:  # noqa: ARG001 - a build is told its room
            step = wanted.build(own)
            self._bytes[key] = step.bytes
            return step, step.bytes

        expected = self._bytes.get(key) or wanted.weigh(own)
        with self._resident.hold(
            key, build, what="captured step", owner=owner, expected_bytes=expected, needs=(ground,),
            wait=False,
        ) as step:  # fmt: skip
            yield step

    def _choose(self, wanted: Wanted, ground: Hashable) -> frozenset[str]:
        """The weights of which the step has copies; an earlier step that has too few of them is let go."""
        place = (ground, wanted.signature)
        with self._lock:
            there = self._own.get(place, frozenset())
            if not self._resident.has(("step", *place, there)):
                there = frozenset()
            own = there | wanted.patched
            if own != there:
                self._resident.drop(("step", *place, there))
            self._own[place] = own
        return own
