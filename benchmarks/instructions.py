"""The engine's first run in floors, counted in the processor's instructions: the same on a busy machine.

Valgrind counts what a process executes. Three processes do the same but for the last step: nothing, a first
run of 1,000 trivial nodes, or the floor; what they differ by is the cost of that step. Needs valgrind.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

from benchmarks import NotMeasured
from benchmarks.engine import OF_FLOOR
from benchmarks.floor import floor
from benchmarks.graphs import SHAPES, Pack
from nodegraph import Engine
from nodegraph.execution.events import Event
from nodegraph.packs import load_packs

COUNT = 1_000
STEPS = ("nothing", "run", "floor")


def run(*, large: bool) -> bool:
    """Print a line for each shape. Whether all are within the budget."""
    if not large:
        raise NotMeasured("it takes six minutes: ask for it with --large")
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NotMeasured("valgrind is not installed")
    print(f"  {COUNT:,} trivial nodes, thousands of instructions a node\n")
    print(f"  {'graph':<8}{'first run':>12}{'floor':>10}{'of floor':>12}")
    worst = 0.0
    with ThreadPoolExecutor(2) as pool:
        for shape in SHAPES:
            nothing, ran, least = pool.map(lambda step, shape=shape: _count(valgrind, step, shape), STEPS)
            first, floor_ = (ran - nothing) / COUNT / 1e3, (least - nothing) / COUNT / 1e3
            worst = max(worst, first / floor_)
            print(f"  {shape:<8}{first:>12.1f}{floor_:>10.1f}{first / floor_:>11.2f}x", flush=True)
    return worst <= OF_FLOOR


def _count(valgrind: str, step: str, shape: str) -> int:
    """The instructions of one process."""
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    command += ["-m", "benchmarks.instructions", step, shape]
    same = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=same)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if found is None:
        raise NotMeasured(f"valgrind does not tell: {done.stderr[-200:]}")
    return int(found[1])


def _work(step: str, shape: str) -> NoReturn:
    """What one process does."""
    packs = load_packs(extra=[("bench", Pack())], installed=False)
    text, log = SHAPES[shape].text(COUNT), list[Event]()
    folder = tempfile.TemporaryDirectory()
    with folder, Engine(folder.name, packs=packs) as engine, asyncio.Runner() as runner:
        runner.run(engine.run(SHAPES[shape].text(2), on_event=log.append))
        floor(SHAPES[shape].text(2))
        gc.collect()
        if step == "run":
            runner.run(engine.run(text, on_event=log.append))
        elif step == "floor":
            floor(text)
        folder.cleanup()
        os._exit(0)  # taking the process down walks all that a run keeps, which is no part of it


if __name__ == "__main__":
    _work(*sys.argv[1:])
