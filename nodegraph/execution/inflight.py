"""What is being made right now: a key that several runs of an engine need at once is made once.

The first to claim a key makes it; the others get a future. If making it fails or is cancelled, the future
gives None and the others claim again, so that one of them makes it. There can be no deadlock: who makes a
key waits for nothing but keys inside its own, and a key cannot be inside itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

Outputs = Mapping[str, Any]
Flight = Future[Outputs | None]


class Flights:
    """The keys in the making, by any run on any thread. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}

    def claim(self, key: str, kept: Callable[[str], Outputs | None]) -> Flight | None:
        """None if the caller is to make the key, and to `land` it; else a future of its outputs.

        `kept` finds what was made since the caller last looked: then the future is done already.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight
            flight = Future()
            flight.set_running_or_notify_cancel()  # who waits for it cannot cancel it for the others
            outputs = kept(key)
            if outputs is None:
                self._flights[key] = flight
                return None
        flight.set_result(outputs)
        return flight

    def land(self, key: str, outputs: Outputs | None) -> None:
        """Hand the outputs of a claimed key to whoever waits; None if it was not made.

        What is to be found by `kept` must be there before.
        """
        with self._lock:
            flight = self._flights.pop(key)
        flight.set_result(outputs)
