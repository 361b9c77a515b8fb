"""A pack whose results are worth a file: they come from the device lane, and are numbers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from nodegraph import Context, hookimpl, node


class Work:
    """Counts what ran; `meanwhile` is called inside `work.hold` and its kin."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.meanwhile: Callable[[], object] = lambda: None
        self.lock = threading.Lock()

    def count(self, name: str) -> None:
        """Note one call."""
        with self.lock:
            self.calls[name] += 1

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        @node("work.double", lane="device")
        def double(number: float = 1.0) -> float:
            """Twice the number, as if with weights."""
            self.count("double")
            return 2 * number

        @node("work.dice", lane="device", cache="volatile")
        def dice(number: float = 0.0) -> float:
            """New in every run."""
            self.count("dice")
            return number + self.calls["dice"]

        @node("work.hold", lane="io")
        def hold(ctx: Context, number: float = 0.0) -> float:
            """Take as long as the test wants."""
            self.count("hold")
            self.meanwhile()
            ctx.check_cancelled()
            return number

        @node("work.hold_later")
        async def hold_later(number: float = 0.0) -> float:
            """As `hold`, in the scheduler's loop."""
            self.count("hold_later")
            self.meanwhile()
            return number

        @node("work.poke", lane="inline")
        def poke(number: float = 0.0) -> float:
            """As `hold`, in the scheduler's loop and in its way."""
            self.meanwhile()
            return number

        return [double, dice, hold, hold_later, poke]
