"""Eviction: cost-aware, never what is in use, never the ground under what is in use."""

from __future__ import annotations

import pytest

from nodegraph.diffusion.placement import Budgets, ModelMemoryError
from nodegraph.diffusion.residency import Residency, Room


class Clock:
    """A timer that a build moves forward by its cost."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Shelf:
    """A residency with builds of stated size and cost."""

    def __init__(self, budget: int) -> None:
        self.clock = Clock()
        self.residency = Residency(Budgets(budget), self.clock)
        self.built: list[str] = []

    def touch(self, key: str, size: int, cost: float, needs: tuple[str, ...] = ()) -> None:
        def build(room: Room) -> tuple[str, int]:
            self.clock.now += cost
            self.built.append(key)
            return key, size

        with self.residency.hold(key, build, what=key, owner="test", expected_bytes=size, needs=needs):
            pass

    @property
    def kept(self) -> set[str]:
        return {entry.what for entry in self.residency.explain()}


def test_what_is_quick_to_make_again_goes_before_what_is_slow() -> None:
    shelf = Shelf(budget=100)
    shelf.touch("slow", 50, cost=10.0)
    shelf.touch("quick", 50, cost=0.1)
    shelf.touch("next", 50, cost=1.0)
    assert shelf.kept == {"slow", "next"}


def test_at_equal_cost_the_least_recently_used_goes() -> None:
    shelf = Shelf(budget=100)
    for key in ("a", "b"):
        shelf.touch(key, 50, cost=1.0)
    shelf.touch("c", 50, cost=1.0)  # evicts one and moves the clock
    survivor = (shelf.kept - {"c"}).pop()
    shelf.touch("c", 50, cost=1.0)
    shelf.touch("d", 50, cost=1.0)
    assert shelf.kept == {"c", "d"}
    assert survivor not in shelf.kept


def test_what_nobody_asks_for_ages_out_however_costly_it_was() -> None:
    shelf = Shelf(budget=100)
    shelf.touch("costly", 50, cost=5.0)
    for turn in range(20):
        shelf.touch(f"cheap {turn}", 50, cost=1.0)
    assert "costly" not in shelf.kept


def test_room_is_made_before_the_build_runs() -> None:
    shelf = Shelf(budget=100)
    shelf.touch("first", 80, cost=1.0)
    seen: list[int] = []

    def build(room: Room) -> tuple[str, int]:
        seen.append(shelf.residency.used_bytes())
        return "second", 60

    with shelf.residency.hold("second", build, what="second", owner="test", expected_bytes=60):
        pass
    assert seen == [60]  # the 60 that are coming, nothing else


def test_a_base_takes_what_was_built_on_it_along_and_stays_while_that_is_used() -> None:
    shelf = Shelf(budget=100)

    def base(room: Room) -> tuple[str, int]:
        shelf.built.append("base")
        return "base", 80

    with shelf.residency.hold("base", base, what="base", owner="test", expected_bytes=80):
        shelf.touch("view", 0, cost=1.0, needs=("base",))
        with pytest.raises(ModelMemoryError):
            shelf.touch("other", 50, cost=1.0)  # the base is in use
        assert {"base", "view"} <= shelf.kept
    shelf.touch("third", 60, cost=1.0)
    assert shelf.kept == {"third"}
    assert shelf.built == ["base", "view", "third"]
