"""Nodes that misbehave in every way that a worker must survive or die of alone."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Sequence
from typing import NoReturn

from nodegraph import Context, hookimpl, node


@node("naughty.fine")
def fine(number: int = 0) -> int:
    """Do nothing wrong."""
    return number + 1


@node("naughty.crash", cache="volatile")
def crash() -> int:
    """Read where nothing is."""
    ctypes.string_at(0)
    return 0


@node("naughty.leave", cache="volatile")
def leave(after: str = "") -> int:
    """End the process."""
    os._exit(3)


@node("naughty.kill", cache="volatile")
def kill() -> int:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@node("naughty.sleep", cache="volatile")
def sleep(ctx: Context, seconds: float = 60.0, listens: bool = True) -> int:
    """Take long, and stop when asked, or do not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if listens:
            ctx.check_cancelled()
        time.sleep(0.01)
    return 0


@node("naughty.block", lane="inline", cache="volatile")
def block(seconds: float = 60.0) -> int:
    """Stand in the loop's way."""
    time.sleep(seconds)
    return 0


@node("naughty.grow", cache="volatile")
def grow(megabytes: int = 600) -> int:
    """Take memory."""
    taken = [bytearray(os.urandom(2**20)) for _ in range(megabytes)]
    time.sleep(30)
    return len(taken)


@node("naughty.raise", cache="volatile")
def fail() -> int:
    """Raise something that cannot say what it is."""
    raise _SilentError


@node("naughty.poison", lane="device", cache="volatile")
def poison() -> int:
    """Leave the process without its device, as some errors of a GPU do."""
    from nodegraph_nodes.resources import DiffusionResources

    DiffusionResources.is_well = lambda self: False  # type: ignore[method-assign]
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


@node("naughty.print", cache="volatile")
def say(text: str = "") -> int:
    """Print to both outputs."""
    print(text, flush=True)
    return 0


class _SilentError(Exception):
    def __str__(self) -> NoReturn:
        raise RuntimeError


class Pack:
    """All of them."""

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return [fine, crash, leave, kill, sleep, block, grow, fail, say, poison]


PACK = Pack()
