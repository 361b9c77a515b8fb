"""Peak memory of one run of the engine, in a process of its own."""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.graphs import SHAPES, Pack
from nodegraph import Engine
from nodegraph.execution import events
from nodegraph.packs import load_packs


def peak_bytes(shape: str, count: int) -> int:
    """How much the largest resident size of a process grows by a first run of such a graph."""
    command = [sys.executable, "-m", "benchmarks.memory", shape, str(count)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _grow(shape: str, count: int) -> int:
    packs = load_packs(extra=[("bench", Pack())], installed=False)
    with tempfile.TemporaryDirectory() as folder, Engine(folder, packs=packs) as engine:
        asyncio.run(engine.run(SHAPES[shape].text(2)))
        before = _largest()
        seen: list[events.Event] = []
        asyncio.run(engine.run(SHAPES[shape].text(count), on_event=seen.append))
        return _largest() - before


def _largest() -> int:
    """The largest resident size so far. On Linux a child's `ru_maxrss` begins with its parent's."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    kilobytes = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * 1024


def run(*, large: bool) -> bool:
    """Print the bytes per node of a chain."""
    count = 100_000 if large else 10_000
    kilobytes = peak_bytes("chain", count) / count / 1024
    print(f"  a chain of {count:,} nodes: {kilobytes:.1f} KB per node at the peak")
    return True


if __name__ == "__main__":
    print(_grow(sys.argv[1], int(sys.argv[2])))
