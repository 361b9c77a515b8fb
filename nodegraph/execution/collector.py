"""The cycle collector, held while a graph is bound and planned, and while a graph of trivial nodes runs.

That work makes hundreds of thousands of objects that all stay alive and form no cycles. The collector would
walk them again and again as they grow, for nothing: the cost per node rose with the size of the graph.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

_lock = threading.Lock()
_holders = 0
_was_enabled = False


class Hold:
    """No automatic collections between entering and leaving, until the last holder is done.

    Whether they were on before is restored. Any thread may lift or end a hold.
    """

    def __init__(self) -> None:
        self._taken = False
        self._over = False

    def __enter__(self) -> Self:
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Let go for good, before leaving."""
        self._over = True
        self._drop()

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Collections as usual meanwhile: for what takes long."""
        self._drop()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        global _holders, _was_enabled  # noqa: PLW0603 - the collector is one per process, and so is its switch
        with _lock:
            if self._over or self._taken:
                return
            self._taken = True
            if _holders == 0:
                _was_enabled = gc.isenabled()
                gc.disable()
            _holders += 1

    def _drop(self) -> None:
        global _holders  # noqa: PLW0603 - as above
        with _lock:
            if not self._taken:
                return
            self._taken = False
            _holders -= 1
            if _holders == 0 and _was_enabled:
                if not gc.get_freeze_count():  # else somebody has frozen what must stay so
                    gc.freeze()  # these two make all objects old ones, without walking them:
                    gc.unfreeze()  # what lived through a hold is the plan and its results
                gc.enable()
