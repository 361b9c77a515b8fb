"""Cancellation: a flag that the caller sets and long work looks at."""

from __future__ import annotations

import threading

from nodegraph.errors import CancelledError


class CancelToken:
    """Thread-safe. Setting it asks a run to stop; a sampler sees it within one step."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise CancelledError if somebody asked."""
        if self._event.is_set():
            raise CancelledError("the run was cancelled")
