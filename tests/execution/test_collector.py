"""The collector is off while anybody holds it, and as it was afterwards."""

from __future__ import annotations

import gc

from nodegraph.execution.collector import Hold


def test_the_last_holder_turns_it_on_again() -> None:
    assert gc.isenabled()
    with Hold():
        with Hold():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_lifted_for_what_takes_long() -> None:
    with Hold() as hold:
        with hold.lifted():
            assert gc.isenabled()
        assert not gc.isenabled()


def test_one_that_ended_while_it_was_lifted_stays_ended() -> None:
    with Hold() as hold, hold.lifted():
        hold.end()
    assert gc.isenabled()


def test_one_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with Hold():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_lived_through_a_hold_is_old_afterwards() -> None:
    with Hold():
        made = [[number] for number in range(10_000)]
    young = {id(one) for generation in (0, 1) for one in gc.get_objects(generation)}
    assert not young.intersection(map(id, made))


def test_what_somebody_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with Hold():
            pass
        assert gc.get_freeze_count() == frozen
    finally:
        gc.unfreeze()
