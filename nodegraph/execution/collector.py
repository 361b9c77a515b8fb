"""The cycle collector, held while a graph is bound and planned, and while a graph of trivial nodes runs.

That work makes hundreds of thousands of objects that all stay alive and form no cycles. The collector would
walk them again and again as they grow, for nothing: the cost per node rose with the size of the graph.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holders = 0
_was_enabled = False


@contextmanager
def held() -> Iterator[None]:
    """No automatic collections until the last holder is done. Whether they were on is restored."""
    global _holders, _was_enabled  # noqa: PLW0603 - the collector is one per process, and so is its switch
    with _lock:
        if _holders == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _was_enabled:
                gc.enable()
