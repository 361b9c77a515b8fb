"""The UNet's training set: scenes, encoded once by the finished autoencoder.

Scenes are drawn from consecutive seeds, so the file keeps latents only: scene *i* of a first seed is always
the same. Captions are drawn afresh at every use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph_nodes.tiny import checkpoint, folding
from nodegraph_nodes.tiny.heldout import training_scenes
from nodegraph_nodes.tiny.nets import LATENT_SCALE
from nodegraph_nodes.tiny.parallel import Worker
from nodegraph_nodes.tiny.render import render
from nodegraph_nodes.tiny.scenes import Mixture, Scene
from nodegraph_nodes.tiny.stage_vae import to_tensor

MIXTURE = Mixture(two_objects=0.4, patterned=0.2, sizes=(0.3, 0.45, 0.25))
FIRST_SEED = 200_000_000

#: Distance between the first seeds of two workers' shares.
_SHARE_STEP = 100_000_000


@dataclass(frozen=True, slots=True)
class LatentSet:
    """Training scenes with their unit-variance latents, float16 [N,4,16,16]."""

    scenes: tuple[Scene, ...]
    latents: Tensor

    @classmethod
    def load(cls, path: Path) -> LatentSet:
        """Read the latents and draw their scenes again."""
        metadata = checkpoint.read_metadata(path)
        count, shares = int(metadata["count"]), int(metadata["shares"])
        scenes = [scene for rank in range(shares) for scene in scenes_of(rank, count)]
        return cls(tuple(scenes), checkpoint.read(path)["latents"])


def scenes_of(rank: int, count: int) -> list[Scene]:
    """The training scenes of one worker's share."""
    return list(islice(training_scenes(FIRST_SEED + rank * _SHARE_STEP, MIXTURE), count))


@torch.no_grad()
def encode(
    vae: AutoencoderKL,
    scenes: Sequence[Scene],
    *,
    draw: Callable[[Scene], npt.NDArray[np.uint8]] = render,
    exact: bool = False,
) -> Tensor:
    """Posterior means of drawn scenes as the autoencoder gives them, float32 [N,4,h,w].

    ``exact`` computes in float32 instead of bfloat16.
    """
    device = next(vae.parameters()).device
    parts: list[Tensor] = []
    for start in range(0, len(scenes), 8):
        pixels = to_tensor(np.stack([draw(scene) for scene in scenes[start : start + 8]])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=not exact):
            parts.append(vae.encode(pixels).mean.float().cpu())
    return torch.cat(parts).contiguous()


def finish_vae(vae: AutoencoderKL, scenes: Sequence[Scene], older: AutoencoderKL | None) -> float:
    """Fold scale and mean into a freshly trained autoencoder, first turning its latents to an older one's.

    Returns the share of the older latents' variance that the turned ones do not explain (0 without one).
    """
    unexplained = 0.0
    if older is not None:
        matrix, offset, unexplained = folding.alignment(
            encode(vae, scenes, exact=True), encode(older, scenes, exact=True)
        )
        folding.fold(vae, matrix, offset)
    folding.fold(vae, *folding.normalisation(encode(vae, scenes, exact=True)))
    return unexplained


def build(vae: AutoencoderKL, worker: Worker, count: int, path: Path) -> None:
    """Encode ``count`` scenes per worker with a finished autoencoder and write them together."""
    chunks: list[Tensor] = []
    scenes = scenes_of(worker.rank, count)
    for start in range(0, count, 400):
        chunks.append(encode(vae, scenes[start : start + 400]) * LATENT_SCALE)
        if worker.first:
            print(f"latents: {min(start + 400, count)} of {count} scenes of this process", flush=True)
    latents = worker.gather(torch.cat(chunks)).half()
    if worker.first:
        metadata = {"count": str(count), "shares": str(worker.count)}
        checkpoint.write(path, {"latents": latents}, metadata)
        print(f"latents: mean {_text(latents.float().mean((0, 2, 3)))}, deviation "
              f"{_text(latents.float().std((0, 2, 3)))}")  # fmt: skip


def _text(values: Iterable[Tensor]) -> str:
    return " ".join(f"{float(value):.3f}" for value in values)
