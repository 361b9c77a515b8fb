"""Independent pieces of async work that overlap, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

AT_ONCE = 4
"""How many iterations of a loop overlap: enough to keep every lane busy, and few enough that what they hold
meanwhile stays small. Loops inside loops multiply it; lanes bound what computes."""


async def overlapping(count: int, width: int, work: Callable[[int], Awaitable[None]]) -> None:
    """Do the work of every index below `count`, up to `width` at a time, started in order.

    The first failure cancels what is under way, and is raised when that has stopped.
    """
    indices = iter(range(count))

    async def take_turns() -> None:
        for index in indices:
            await work(index)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(width, count)):
                group.create_task(take_turns())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
