"""A background thread that keeps an index up to date: when it is asked to, and every so often."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class StoppedError(Exception):
    """The thread is to end: raised inside its work."""


class Background:
    """Runs `refresh` on a thread of its own, never twice at once. The thread starts with the first request.

    After `repeat`, it refreshes every so often, and calls `work` between refreshes until that has nothing
    more to do (returns False). Long work calls the function that it is given now and then: a refresh that
    somebody waits for happens there, and StoppedError comes out of it when the thread is to end.
    """

    def __init__(self, refresh: Callable[[], None], work: Callable[[Callable[[], None]], bool]) -> None:
        self._refresh = refresh
        self._work = work
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._asked = self._done = 0
        self._interval: float | None = None
        self._due = 0.0
        self._closed = False

    def request(self) -> int:
        """Ask for a refresh that begins after now; a ticket to wait with."""
        with self._changed:
            self._asked += 1
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="file-index", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return self._asked

    def wait(self, ticket: int, seconds: float | None) -> bool:
        """Wait until the refresh of that ticket is done; whether it is."""
        with self._changed:
            self._changed.wait_for(lambda: self._done >= ticket or self._closed, seconds)
            return self._done >= ticket

    def repeat(self, interval: float) -> None:
        """Refresh now, and every `interval` seconds from now on."""
        with self._changed:
            self._interval = interval
        self.request()

    def close(self) -> None:
        """Stop, and wait for the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                self._breathe()
                more = self._interval is not None and self._guarded_work()
                with self._changed:
                    pause = None if self._interval is None else max(0.0, self._due - time.monotonic())
                    self._changed.wait_for(lambda: self._pending() or self._closed, 0 if more else pause)
        except StoppedError:
            return

    def _breathe(self) -> None:
        """Refresh if somebody asked for it or it is time again. StoppedError if the thread is to end."""
        with self._changed:
            if self._closed:
                raise StoppedError
            if not self._pending() and (self._interval is None or time.monotonic() < self._due):
                return
            ticket = self._asked
        try:
            self._refresh()
        except Exception:
            log.exception("the model folders could not be scanned")
        with self._changed:
            self._done = ticket
            self._due = time.monotonic() + (self._interval or 0.0)
            self._changed.notify_all()

    def _guarded_work(self) -> bool:
        try:
            return self._work(self._breathe)
        except StoppedError:
            raise
        except Exception:
            log.exception("model files could not be hashed")
            return False

    def _pending(self) -> bool:
        return self._asked > self._done
