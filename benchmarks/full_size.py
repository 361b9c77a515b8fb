"""A full-size SD 1.5 with random weights at 256 x 256, beside diffusers on the same file.

Each runs in a process of its own: header, load, a step (guidance: a batch of two), decoding, and the peak of
memory above what the imports took. Steps and decoding are counted in seconds of a core, which other programs
disturb least. The file (2.1 GB) is made once and kept in the folder NODEGRAPH_BENCH_MODELS, or else in the
system's temporary folder. Needs `--large`.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

STEPS, SIDE, SEED = 5, 256, 1


def run(*, large: bool) -> bool:
    """Print both columns; True where ours is not slower per step and takes less memory at the peak."""
    if not large:
        print("  needs --large: it makes a file of 2.1 GB and takes minutes")
        return True
    path = checkpoint()
    ours, theirs = (measure(who, path) for who in ("nodegraph", "diffusers"))
    print(f"{'':<28}{'nodegraph':>12}{'diffusers':>12}")
    for name in ours:
        print(f"  {name:<26}{_figure(ours[name]):>12}{_figure(theirs[name]):>12}")
    step, peak = "core-seconds a step", "peak memory, GB"
    # The same operations: what differs by a few per cent is what else the machine does.
    return ours[step] <= theirs[step] * 1.03 and ours[peak] < theirs[peak]


def checkpoint() -> Path:
    """The random SD 1.5 file, made where it is not there yet."""
    from tests.diffusion.reference.random_sd15 import CHECKPOINT, write

    default = Path(tempfile.gettempdir()) / "nodegraph-bench"
    folder = Path(os.environ.get("NODEGRAPH_BENCH_MODELS", default))
    if not (folder / CHECKPOINT).exists():
        print(f"  making {folder / CHECKPOINT} (2.1 GB)")
        write(folder)
    return folder / CHECKPOINT


def measure(who: str, path: Path) -> Mapping[str, float]:
    """The figures of one library, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.full_size", who, str(path)]
    quiet = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait burn no core
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=quiet)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _figure(value: float) -> str:
    return f"{value:.3f}"


def _memory(name: str) -> int:
    """VmRSS (now) or VmHWM (the most so far) of this process, in bytes."""
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


class _Report:
    """Times parts of a run, and the memory above what the imports took."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}
        self._before = _memory("VmRSS")

    def time(self, name: str, work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> Any:
        """Do the work and note its seconds under that name."""
        start = clock()
        result = work()
        self.figures[name] = clock() - start
        return result

    def write(self) -> None:
        """Print the figures as a line of JSON."""
        self.figures["peak memory, GB"] = (_memory("VmHWM") - self._before) / 1e9
        print(json.dumps(self.figures))


def _prompts() -> tuple[Tensor, Tensor]:
    import torch

    first, second = torch.randn(2, 1, 77, 768, generator=torch.Generator().manual_seed(SEED))
    return first, second


def nodegraph(path: Path) -> None:
    """Load, sample and decode with this project's store, sampler and networks."""
    import torch

    from nodegraph.diffusion.samplers import SAMPLERS
    from nodegraph.diffusion.sampling import sample
    from nodegraph.diffusion.schedulers import SCHEDULERS
    from nodegraph.diffusion.store import Store
    from nodegraph.modelfiles.safetensors_header import read_header
    from nodegraph.values import Conditioning, ConditioningEntry, Latent, Model, ModelFile, Vae

    class Only:
        """The one file there is."""

        def get(self, kind: str, name: str) -> ModelFile:  # noqa: ARG002 - the form of the Protocol
            return ModelFile("random", path.name)

        def path(self, file: ModelFile) -> Path:  # noqa: ARG002 - the form of the Protocol
            return path

    positive, negative = (Conditioning((ConditioningEntry(tokens),)) for tokens in _prompts())
    report = _Report()
    report.time("header, seconds", lambda: read_header(path))
    store, file = Store(Only(), "cpu"), ModelFile("random", path.name)
    stamps: list[float] = []
    start = time.perf_counter()
    with store.use(Model(file, "sd1")) as denoiser:
        report.figures["load denoiser, seconds"] = time.perf_counter() - start
        stamps.append(time.process_time())
        latent = sample(
            denoiser, positive, negative, Latent(torch.zeros(1, 4, SIDE // 8, SIDE // 8)), seed=SEED,
            steps=STEPS, cfg=7.0, sampler=SAMPLERS["euler"], scheduler=SCHEDULERS["normal"],
            on_step=lambda step, total, x0: stamps.append(time.process_time()),  # noqa: ARG005 - a callback
        )  # fmt: skip
    report.figures["core-seconds a step"] = _per_step(stamps)
    start = time.perf_counter()
    with store.use(Vae(file, "sd1")) as vae:
        report.figures["load VAE, seconds"] = time.perf_counter() - start
        report.time("decode, core-seconds", lambda: vae.decode(latent.samples), time.process_time)
    report.write()


def diffusers(path: Path) -> None:
    """The same with diffusers' loaders, scheduler and networks."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel

    positive, negative = _prompts()
    tokens = torch.cat([negative, positive])
    report = _Report()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        _write_configs(Path(folder))
        options = {"config": folder, "torch_dtype": torch.float32, "local_files_only": True}
        report.time("header, seconds", lambda: None)  # it has no such step
        unet = report.time(
            "load denoiser, seconds",
            lambda: UNet2DConditionModel.from_single_file(str(path), subfolder="unet", **options),
        )
        scheduler: Any = EulerDiscreteScheduler(  # type: ignore[no-untyped-call] # diffusers leaves it so
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="linspace"
        )
        scheduler.set_timesteps(STEPS)
        x = torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(SEED))
        x = x * scheduler.init_noise_sigma
        stamps = [time.process_time()]
        for timestep in scheduler.timesteps:
            pair = scheduler.scale_model_input(torch.cat([x, x]), timestep)
            unwanted, wanted = unet(pair, timestep, encoder_hidden_states=tokens).sample.chunk(2)
            x = scheduler.step(unwanted + 7.0 * (wanted - unwanted), timestep, x).prev_sample
            stamps.append(time.process_time())
        report.figures["core-seconds a step"] = _per_step(stamps)
        vae = report.time(
            "load VAE, seconds",
            lambda: AutoencoderKL.from_single_file(str(path), subfolder="vae", **options),
        )
        report.time("decode, core-seconds", lambda: vae.decode(x / 0.18215).sample, time.process_time)
    report.write()


def _per_step(stamps: list[float]) -> float:
    """The median of the steps after the first, which warms up."""
    seconds = [later - earlier for earlier, later in pairwise(stamps)]
    return statistics.median(seconds[1:])


def _write_configs(folder: Path) -> None:
    """diffusers' configurations of SD 1.5, so that it need not ask the hub."""
    import diffusers
    import torch

    library: Any = diffusers  # it publishes no types
    with torch.device("meta"):
        unet = library.UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64)
        vae = library.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), latent_channels=4, layers_per_block=2, sample_size=512,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        )  # fmt: skip
    for name, model in (("unet", unet), ("vae", vae)):
        model.save_config(folder / name)


if __name__ == "__main__":
    {"nodegraph": nodegraph, "diffusers": diffusers}[sys.argv[1]](Path(sys.argv[2]))
