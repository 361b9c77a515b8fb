"""Lanes: threads per resource, so that a second checkpoint loads while the first samples."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from nodegraph.declare import Lane


class Lanes:
    """Threads per lane. Devices have one, so that two nodes never fight over one."""

    def __init__(self, cpu: int = 2, io: int = 4) -> None:
        self._pools = {
            "cpu": ThreadPoolExecutor(cpu, "cpu"),
            "io": ThreadPoolExecutor(io, "io"),
            "device": ThreadPoolExecutor(1, "device"),
        }

    def pool(self, lane: Lane) -> ThreadPoolExecutor:
        """The threads of a lane other than inline."""
        return self._pools[lane]

    def close(self) -> None:
        """Wait for running work and end the threads."""
        for pool in self._pools.values():
            pool.shutdown()
