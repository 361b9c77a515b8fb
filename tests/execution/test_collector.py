"""The collector is off while anybody holds it, and as it was afterwards."""

from __future__ import annotations

import gc

from nodegraph.execution.collector import held


def test_the_last_holder_turns_it_on_again() -> None:
    assert gc.isenabled()
    with held():
        with held():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_one_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with held():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
