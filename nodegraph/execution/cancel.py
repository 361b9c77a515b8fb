"""Cancellation: a flag that the caller sets, long work looks at, and a waiting loop is woken by."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nodegraph.errors import CancelledError


class CancelToken:
    """Thread-safe. Setting it asks a run to stop; a sampler sees it within one step."""

    def __init__(self) -> None:
        self.cancelled = False
        """Whether somebody asked."""
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask the run to stop. Asking again changes nothing: what stops already is not disturbed."""
        with self._lock:
            if self.cancelled:
                return
            self.cancelled = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def check(self) -> None:
        """Raise CancelledError if somebody asked."""
        if self.cancelled:
            raise CancelledError("the run was cancelled")

    @contextmanager
    def child(self) -> Iterator[CancelToken]:
        """Within the block, a token that is set with this one, and that can be set without it."""
        token = CancelToken()
        with self.calling(token.cancel):
            if self.cancelled:
                token.cancel()
            yield token

    @contextmanager
    def calling(self, listener: Callable[[], None]) -> Iterator[None]:
        """Within the block, call `listener` when somebody asks, on the thread of whoever asks."""
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)
