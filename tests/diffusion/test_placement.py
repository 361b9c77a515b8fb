"""The planner: budgets are never exceeded, what leaves first, what is streamed, and the honest refusal."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.diffusion.placement import (
    Budgets,
    Held,
    Load,
    ModelMemoryError,
    Move,
    Placement,
    place,
    place_on_host,
    shrink,
)


class FakeDevice:
    """Carries out placements by counting bytes alone."""

    def __init__(self, budgets: Budgets) -> None:
        self.budgets = budgets
        self.held: dict[object, Held] = {}

    def load(self, key: str, load: Load, **about: object) -> Placement:
        placement = place(load, self.held.values(), self.budgets)
        self.move(placement.moves)
        self.held[key] = Held(key, "device", placement.bytes, **about)  # type: ignore[arg-type] # a test's words
        self.check()
        return placement

    def move(self, moves: tuple[Move, ...]) -> None:
        for move in moves:
            entry = self.held.pop(move.key)
            if move.to == "host":
                self.held[move.key] = dataclasses.replace(entry, tier="host", needs=())

    def check(self) -> None:
        for tier in ("device", "host"):
            budget = self.budgets.of(tier)
            assert budget is None or self.used(tier) <= budget
        for entry in self.held.values():
            assert all(key in self.held for key in entry.needs), "the ground of something was taken away"

    def used(self, tier: str) -> int:
        return sum(entry.bytes for entry in self.held.values() if entry.tier == tier)

    def where(self) -> dict[object, str]:
        return {key: entry.tier for key, entry in self.held.items()}


def test_what_fits_is_loaded_whole_and_moves_nothing() -> None:
    device = FakeDevice(Budgets(100, 0))
    assert device.load("a", Load("a", 60)) == Placement((), (), 60)
    assert device.load("b", Load("b", 40)) == Placement((), (), 40)


def test_the_lowest_priority_leaves_first_and_no_more_than_needed() -> None:
    device = FakeDevice(Budgets(100, 0))
    for key, priority in (("slow", 3.0), ("quick", 1.0), ("middle", 2.0)):
        device.load(key, Load(key, 30), priority=priority)
    assert device.load("next", Load("next", 40)).moves == (Move("quick", None),)
    assert device.load("last", Load("last", 60), priority=9.0).moves == (
        Move("next", None),  # priority 0: nothing was said
        Move("middle", None),
    )


def test_what_leaves_the_device_goes_to_the_host_and_pushes_out_only_what_is_cheaper() -> None:
    device = FakeDevice(Budgets(50, 100))
    for key, priority in (("one", 1.0), ("two", 2.0), ("three", 3.0), ("four", 4.0)):
        device.load(key, Load(key, 50), priority=priority, movable=True)
    assert device.where() == {"two": "host", "three": "host", "four": "device"}
    device.held["two"] = dataclasses.replace(device.held["two"], priority=9.0)
    device.held["three"] = dataclasses.replace(device.held["three"], priority=8.0)
    assert device.load("five", Load("five", 50)).moves == (Move("four", None),)


def test_what_is_in_use_or_pinned_and_its_ground_stay() -> None:
    device = FakeDevice(Budgets(100, 100))
    device.load("base", Load("base", 50), movable=True)
    device.load("overlay", Load("overlay", 10), busy=True, needs=("base",))
    device.load("idle", Load("idle", 40), priority=9.0)
    assert device.load("next", Load("next", 40)).moves == (Move("idle", None),)
    with pytest.raises(ModelMemoryError) as caught:
        device.load("more", Load("more", 41))
    assert (caught.value.needed, caught.value.available) == (41, 40)
    assert "60 of 100 are in use or pinned" in str(caught.value)


def test_a_base_takes_along_what_was_built_on_it() -> None:
    device = FakeDevice(Budgets(100, 0))
    device.load("base", Load("base", 50))
    device.load("overlay", Load("overlay", 30), needs=("base",), priority=5.0)
    device.load("view", Load("view", 0), needs=("overlay",), priority=5.0)
    assert set(device.load("next", Load("next", 60)).moves) == {
        Move("view", None),
        Move("overlay", None),
        Move("base", None),
    }


def test_an_overlay_that_is_cheap_leaves_alone() -> None:
    device = FakeDevice(Budgets(100, 0))
    device.load("base", Load("base", 50), priority=5.0)
    device.load("overlay", Load("overlay", 30), needs=("base",), priority=1.0)
    assert device.load("next", Load("next", 50)).moves == (Move("overlay", None),)


def test_a_load_larger_than_the_budget_is_streamed_with_its_largest_blocks_resident() -> None:
    load = Load("big", 150, blocks=(20, 40, 20, 40, 20))
    assert place(load, [], Budgets(130)) == Placement((), (0, 2, 4), 10 + 40 + 40 + 2 * 20, ahead=2)
    assert place(load, [], Budgets(129)).streamed == (0, 2, 3, 4)
    assert place(load, [], Budgets(109)).streamed == (0, 1, 2, 3, 4)


def test_idle_things_leave_before_anything_is_streamed() -> None:
    device = FakeDevice(Budgets(100, 0))
    device.load("idle", Load("idle", 50), priority=100.0)
    placement = device.load("next", Load("next", 90, blocks=(30, 30, 30)))
    assert placement.streamed == ()
    assert placement.moves == (Move("idle", None),)


def test_without_room_to_prefetch_one_block_at_a_time_is_streamed() -> None:
    load = Load("big", 130, blocks=(30, 30, 30, 30))
    assert place(load, [], Budgets(70)).ahead == 2
    alone = place(load, [], Budgets(45))
    assert (alone.streamed, alone.bytes, alone.ahead) == ((0, 1, 2, 3), 40, 1)
    with pytest.raises(ModelMemoryError) as caught:
        place(load, [], Budgets(39))
    assert (caught.value.needed, caught.value.available) == (40, 39)
    assert caught.value.problem.code == "model_memory"
    assert "40 bytes" in str(caught.value)
    assert "39 bytes" in str(caught.value)


def test_room_is_left_for_what_will_be_built_on_the_load() -> None:
    load = Load("base", 90, blocks=(20, 20, 20, 20), reserve=20)
    placement = place(load, [], Budgets(100))
    assert placement.streamed
    assert placement.bytes <= 80
    assert place(dataclasses.replace(load, reserve=10), [], Budgets(100)).streamed == ()


def test_the_host_refuses_what_it_cannot_hold() -> None:
    held = [Held("busy", "host", 60, busy=True), Held("idle", "host", 30)]
    assert place_on_host(41, held, Budgets(None, 100)) is None
    assert place_on_host(40, held, Budgets(None, 100)) == (Move("idle", None),)
    assert place_on_host(10, held, Budgets(None, None)) == ()


def test_shrink_takes_idle_things_only() -> None:
    held = [Held("busy", "device", 60, busy=True), Held("a", "device", 30), Held("b", "host", 90)]
    assert shrink(held, Budgets(50, 50)) == (Move("a", None), Move("b", None))


LOADS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 30), max_size=5),  # blocks
        st.integers(0, 20),  # what is not in blocks
        st.floats(0, 10),  # priority
        st.booleans(),  # busy
        st.booleans(),  # movable
    ),
    max_size=12,
)


@given(LOADS, st.integers(0, 120), st.one_of(st.none(), st.integers(0, 120)))
def test_no_sequence_of_loads_exceeds_a_budget_or_moves_what_is_busy(
    loads: list[tuple[list[int], int, float, bool, bool]], budget: int, host: int | None
) -> None:
    device = FakeDevice(Budgets(budget, host))
    for number, (blocks, fixed, priority, busy, movable) in enumerate(loads):
        load = Load(str(number), fixed + sum(blocks), tuple(blocks))
        before = {key for key, entry in device.held.items() if entry.busy}
        taken = sum(entry.bytes for entry in device.held.values() if entry.busy and entry.tier == "device")
        available, needed = max(0, budget - taken), fixed + max(blocks, default=0)
        if load.bytes > available and needed > available:
            with pytest.raises(ModelMemoryError) as caught:
                device.load(str(number), load)
            assert (caught.value.needed, caught.value.available) == (needed, available)
            continue
        placement = device.load(str(number), load, priority=priority, busy=busy, movable=movable)
        assert before <= set(device.held)
        if placement.streamed:
            assert load.bytes > budget - taken, "it would have fitted whole"
            window = sorted((blocks[index] for index in placement.streamed), reverse=True)[: placement.ahead]
            resident = sum(size for index, size in enumerate(blocks) if index not in placement.streamed)
            assert placement.bytes == fixed + resident + sum(window)
        else:
            assert placement.bytes == load.bytes
