"""Denoiser steps at full size on a CUDA GPU: ours eager, as CUDA graphs and compiled, beside diffusers.

Random weights, the same dtype for both, each way in a process of its own: steps a second (the median of
several, after a warm-up) and the peak of device memory. `sample` adds the sampler to this, which the
benchmark of that name measures.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.gpu_models import CASES, SMALL, Case, Work, our_network, their_step

if TYPE_CHECKING:
    import torch

    from nodegraph.diffusion.acceleration.captured import CapturedStep
    from nodegraph.diffusion.acceleration.stepper import Build

WAYS = ("diffusers", "off", "graphs", "compile", "both")
TITLES = {"off": "nodegraph", "graphs": "… graphs", "compile": "… compiled", "both": "… both"}
WARM_UP, STEPS = 3, 15


def run(*, large: bool) -> bool:  # noqa: ARG001 - there is one size
    """Print the table; True where our eager step is not slower than diffusers' (by more than 3 %)."""
    import torch

    if not torch.cuda.is_available():
        print("  needs a CUDA GPU, and there is none on this machine: nothing was measured")
        return True
    print(f"  {torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"  {'':<28}" + "".join(f"{TITLES.get(way, way):>20}" for way in WAYS))
    verdicts = [_row(name, case) for name, case in CASES.items()]
    return all(verdicts)


def _row(name: str, case: Case) -> bool:
    found = {way: _in_own_process(name, way) for way in WAYS}
    print(f"  {case.title:<28}" + "".join(f"{_cell(found[way]):>20}" for way in WAYS), flush=True)
    ours, theirs = found["off"], found["diffusers"]
    return "error" not in ours and ("error" in theirs or ours["steps"] >= theirs["steps"] * 0.97)


def _cell(figures: dict[str, Any]) -> str:
    if "error" in figures:
        return "failed"
    return f"{figures['steps']:.2f}/s {figures['memory'] / 1e9:.1f} GB"


def _in_own_process(name: str, way: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.gpu", name, way, "cuda"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  {name}, {way}: {done.stderr.strip().splitlines()[-1:]}")
        return {"error": done.stderr}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(case: Case, way: str, device: torch.device, steps: int = STEPS) -> dict[str, float]:
    """Steps a second and the peak of device memory in bytes (0 on a CPU)."""
    import torch

    with torch.no_grad():
        work = their_step(case, device) if way == "diffusers" else _our_step(case, way, device)
        for _ in range(WARM_UP):
            work()
        _wait(device)
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            work()
            _wait(device)
            seconds.append(time.perf_counter() - start)
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return {"steps": 1 / statistics.median(seconds), "memory": memory}


def _our_step(case: Case, way: str, device: torch.device) -> Work:
    from nodegraph.diffusion.acceleration.captured import CudaRecorder
    from nodegraph.diffusion.acceleration.modes import acceleration_named
    from nodegraph.diffusion.acceleration.stepper import Stepper

    network, arguments = our_network(case, device)
    if way == "off":
        return lambda: network(*arguments)
    counts: dict[str, int] = {}
    kept: dict[Hashable, CapturedStep] = {}

    @contextmanager
    def keep(key: Hashable, build: Build) -> Iterator[CapturedStep]:
        if key not in kept:
            kept[key] = build()
        yield kept[key]

    def count(name: str, amount: int) -> None:
        counts[name] = counts.get(name, 0) + amount

    recorder = CudaRecorder(device) if device.type == "cuda" else None
    stepper = Stepper(
        network, {}, acceleration_named(way), streamed=False, recorder=recorder, keep=keep, count=count
    )

    def work() -> None:
        stepper(*arguments)
        if counts.get("eager_steps"):
            raise RuntimeError(f"the step ran eagerly, so '{way}' was not measured")

    return work


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)


def main() -> None:
    """Measure one way of one case: `python -m benchmarks.gpu CASE WAY DEVICE [small]`."""
    import torch

    name, way, device, *small = sys.argv[1:]
    case = (SMALL if small else CASES)[name]
    print(json.dumps(measure(case, way, torch.device(device))))


if __name__ == "__main__":
    main()
