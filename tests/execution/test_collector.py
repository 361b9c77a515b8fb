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
