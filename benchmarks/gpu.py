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

from benchmarks import NotMeasured
from benchmarks.gpu_models import CASES, SMALL, Case, Work, our_network, their_step
from nodegraph.modelfiles.configs import UNetConfig

if TYPE_CHECKING:
    import torch

    from nodegraph.diffusion.acceleration.captured import CapturedStep
    from nodegraph.diffusion.acceleration.shelf import Wanted

TITLES = {
    "diffusers": "diffusers",
    "off": "nodegraph",
    "channels-last": "… channels last",
    "graphs": "… graphs",
    "compile": "… compiled",
    "compile,graphs": "… both",
}
"""Ways to run a step, as the option `--accelerate` names ours, and how the table names them."""
WARM_UP, STEPS = 3, 15


def run(*, large: bool, small: bool = False) -> bool:  # noqa: ARG001 - the full size is the only one
    """Print the table; True where our eager step is not slower than diffusers' (by more than 3 %).

    small: tiny networks, on a CPU where there is no GPU: whether everything runs, with figures of no meaning.
    NotMeasured: the full size without a GPU.
    """
    import torch

    there = torch.cuda.is_available()
    if not there and not small:
        raise NotMeasured("this needs a CUDA GPU, and there is none on this machine (--small runs on a CPU)")
    print(f"  {torch.cuda.get_device_name() if there else 'CPU'}, torch {torch.__version__}")
    print(f"  {'':<26}" + "".join(f"{title:>19}" for title in TITLES.values()))
    cases = SMALL if small else CASES
    verdicts = [_row(name, case, small=small, cuda=there) for name, case in cases.items()]
    return all(verdicts)


def _row(name: str, case: Case, *, small: bool, cuda: bool) -> bool:
    sensible = [way for way in TITLES if _makes_sense(case, way, cuda=cuda)]
    found = {way: _in_own_process(name, way, small=small) for way in sensible}
    cells = [_cell(found[way]) if way in found else "" for way in TITLES]
    print(f"  {case.title:<26}" + "".join(f"{cell:>19}" for cell in cells), flush=True)
    ours, theirs = found["off"], found["diffusers"]
    if small:
        return not any("error" in figures for figures in found.values())
    return "error" not in ours and ("error" in theirs or ours["steps"] >= theirs["steps"] * 0.97)


def _makes_sense(case: Case, way: str, *, cuda: bool) -> bool:
    """Transformers have no convolutions to speak of, and a CPU captures nothing."""
    if way == "channels-last":
        return isinstance(case.config, UNetConfig)
    return cuda or "graphs" not in way


def _cell(figures: dict[str, Any]) -> str:
    if "error" in figures:
        return "failed"
    return f"{figures['steps']:.2f}/s {figures['memory'] / 1e9:.1f} GB"


def _in_own_process(name: str, way: str, *, small: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.gpu", name, way, *(["small"] if small else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  {name}, {way}: {(done.stderr.strip().splitlines() or ['it died'])[-1]}")
        return {"error": done.stderr}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(
    case: Case, way: str, device: torch.device, steps: int = STEPS, backend: str = "inductor"
) -> dict[str, float]:
    """Steps a second and the peak of device memory in bytes (0 on a CPU). backend: torch's compiler."""
    import torch

    with torch.no_grad():
        work = their_step(case, device) if way == "diffusers" else _our_step(case, way, device, backend)
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


def _our_step(case: Case, way: str, device: torch.device, backend: str) -> Work:
    import torch

    from nodegraph.diffusion.acceleration.cuda import CudaRecorder
    from nodegraph.diffusion.acceleration.modes import acceleration_named
    from nodegraph.diffusion.acceleration.stepper import Stepper

    network, arguments = our_network(case, device)
    asked = acceleration_named(way)
    if asked.channels_last:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub
    if not asked.steps:
        return lambda: network(*arguments)
    kept: dict[Hashable, CapturedStep] = {}

    @contextmanager
    def keep(wanted: Wanted) -> Iterator[CapturedStep]:
        if wanted.signature not in kept:
            kept[wanted.signature] = wanted.build(())
        yield kept[wanted.signature]

    def count(name: str, amount: int) -> None:
        """The ways tell enough."""

    recorder = CudaRecorder(device) if device.type == "cuda" else None
    stepper = Stepper(
        network, (), asked, streamed=False, recorder=recorder, keep=keep, count=count, backend=backend
    )

    def work() -> None:
        stepper(*arguments)
        if any(": " in went for went in stepper.ways()):  # with why it did not run as asked
            raise RuntimeError(f"'{way}' was not measured: {list(stepper.ways())}")

    return work


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)


def main() -> None:
    """Measure one way of one case: `python -m benchmarks.gpu CASE WAY [small]`; on a CPU without a GPU."""
    import torch

    name, way, *small = sys.argv[1:]
    case = (SMALL if small else CASES)[name]
    print(json.dumps(measure(case, way, torch.device("cuda" if torch.cuda.is_available() else "cpu"))))


if __name__ == "__main__":
    main()
