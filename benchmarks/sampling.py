"""Sampling with the embedded model: where the time goes, and what the engine adds to the networks."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph import Engine

STEPS = 20
PROMPT = "a red circle on a blue background"


def run(*, large: bool) -> bool:  # noqa: ARG001 - there is one size
    """Print seconds per picture, core-seconds per picture, and the share of time outside the networks."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    import nodegraph

    torch.set_num_threads(1)
    print(f"embedded model, {STEPS} steps, cfg 4, one thread")
    with tempfile.TemporaryDirectory() as folder, nodegraph.Engine(folder, device="auto") as engine:
        engine.run_sync("template:text-to-image", prompt=PROMPT, seed=0, steps=STEPS)
        before = dict(engine.resources.models.counters())
        wall, core = time.perf_counter(), time.process_time()
        runs = 5
        for seed in range(1, runs + 1):
            result = engine.run_sync("template:text-to-image", prompt=PROMPT, seed=seed, steps=STEPS)
        wall, core = (time.perf_counter() - wall) / runs, (time.process_time() - core) / runs
        profile = engine.resources.profile()
        print(f"  profile                      {profile}")
        print(f"  seconds a picture            {wall:.2f}")
        print(f"  core-seconds a picture       {core:.2f}")
        for id_, finished in result.nodes.items():
            if finished.outcome == "ran":
                print(f"    {id_:<27}{finished.seconds:.3f}")
        print(f"  file reads for {runs} new seeds    {_more(engine.resources.models.counters(), before)}")
        share = _outside_networks(
            engine, sum(f.seconds for id_, f in result.nodes.items() if id_ == "sample")
        )
        print(f"  sampling outside the UNet    {share:.1%}")
    return True


def _more(after: Mapping[str, int], before: Mapping[str, int]) -> int:
    return after["file_reads"] - before["file_reads"]


def _outside_networks(engine: Engine, sampling: float) -> float:
    """The share of a sampling run that is not spent in the UNet: measured by timing its calls alone."""
    import torch

    from nodegraph import Model
    from nodegraph.modelfiles.families import inspect
    from nodegraph.modelfiles.safetensors_header import read_header

    base = engine.files.get("checkpoints", "tiny.safetensors")
    found = inspect(read_header(engine.files.path(base)))
    model = Model(base, found.family, prediction=found.prediction, latent_format=found.latent_format)
    with engine.resources.models.use(model) as denoiser, torch.no_grad():
        x = torch.randn(2, 4, 16, 16, device=denoiser.device)
        sigma = torch.full((2,), 1.0, device=denoiser.device)
        tokens = torch.randn(2, 77, 128, device=denoiser.device)
        denoiser.denoise(x, sigma, tokens)
        start = time.perf_counter()
        for _ in range(STEPS):
            denoiser.denoise(x, sigma, tokens)
        float(x.sum())  # waits for the device
        inside = time.perf_counter() - start
    return max(0.0, 1 - inside / sampling)


if __name__ == "__main__":
    run(large=False)
