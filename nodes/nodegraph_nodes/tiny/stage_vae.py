"""Training of the autoencoder on crops and whole pictures, without a network as judge.

Flat shapes leave little to reconstruct but edges, so pixels near an edge weigh up to five times as much, and
crops are chosen for having something in them. Stars are drawn more often: their points are the hardest.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph_nodes.tiny.heldout import is_held_out
from nodegraph_nodes.tiny.loop import Loss, Recipe
from nodegraph_nodes.tiny.render import SIDE, render
from nodegraph_nodes.tiny.scenes import Mixture, Scene, sample_scene

RECIPE = Recipe(
    minutes=22, learning_rate=1e-3, warm_up=60, hold=0.3, average=0.995, weight_decay=1e-4, save_every=250
)
MIXTURE = Mixture(two_objects=0.35, patterned=0.3, sizes=(0.4, 0.35, 0.25))
STARS = 0.2
CROP = SIDE // 2

#: Weight of the Kullback-Leibler term, per latent element: small, as in latent diffusion.
KL_WEIGHT = 2e-4


def to_tensor(pictures: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 [B,H,W,3] -> float32 [B,3,H,W], -1 to 1, channels last in memory."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels.contiguous(memory_format=torch.channels_last)


def to_pictures(pixels: Tensor) -> npt.NDArray[np.uint8]:
    """float [B,3,H,W], -1 to 1 -> uint8 [B,H,W,3]."""
    levels = ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    pictures: npt.NDArray[np.uint8] = levels.permute(0, 2, 3, 1).cpu().numpy()
    return pictures


def slopes(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of neighbouring pixels across and down."""
    return pixels[..., 1:] - pixels[..., :-1], pixels[..., 1:, :] - pixels[..., :-1, :]


def edge_weight(pixels: Tensor) -> Tensor:
    """Five times more weight within two pixels of an edge, mean 1: [B,1,H,W]."""
    across, down = slopes(pixels)
    steep = functional.pad(across.abs().amax(1, keepdim=True), (0, 1))
    steep = steep + functional.pad(down.abs().amax(1, keepdim=True), (0, 0, 0, 1))
    near = functional.max_pool2d((steep > 0.08).float(), 5, stride=1, padding=2)
    weight = 1 + 4 * near
    return weight / weight.mean()


class VaeStage:
    """Trains an autoencoder whose latents are about unit variance (the scale is folded in afterwards)."""

    def __init__(self, vae: AutoencoderKL) -> None:
        self.vae = vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module: nn.Module = self.vae
        self.rng = random.Random()

    def _scene(self) -> Scene:
        while True:
            scene = sample_scene(self.rng.randrange(2**40), MIXTURE)
            if self.rng.random() < STARS:
                stars = tuple(replace(item, shape="star") for item in scene.objects)
                scene = replace(scene, objects=stars)
            if not is_held_out(scene):
                return scene

    def _crop(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The liveliest of three random quarters."""

        def cut() -> npt.NDArray[np.uint8]:
            top, left = self.rng.randint(0, SIDE - CROP), self.rng.randint(0, SIDE - CROP)
            return picture[top : top + CROP, left : left + CROP]

        return max((cut() for _ in range(3)), key=lambda crop: float(crop[::4, ::4].var()))

    def batch(self, whole: bool) -> Tensor:
        """Two whole pictures or eight quarters: float32 [B,3,H,W], -1 to 1."""
        if whole:
            pictures = [render(self._scene()) for _ in range(2)]
        else:
            pictures = [self._crop(render(self._scene())) for _ in range(8)]
        pixels = to_tensor(np.stack(pictures))
        if self.rng.random() < 0.5:
            pixels = pixels.flip(3)
        if self.rng.random() < 0.05:  # colours must not be tied to a channel's place
            pixels = pixels[:, torch.randperm(3)]
        return pixels

    def loss(self, step: int, progress: float) -> Loss:  # noqa: ARG002 - the same at any time
        """Edge-weighted L1 and L2, L1 of the slopes, and a small KL term."""
        device = next(self.vae.parameters()).device
        pixels = self.batch(whole=step % 3 == 0).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            mean, log_variance = (moment.float() for moment in self.vae.encode(pixels))
            seen = self.vae.decode(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        error = seen.float() - pixels
        weight = edge_weight(pixels)
        across, down = slopes(error)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        value = (error.abs() * weight).mean() + 2 * (error.square() * weight).mean()
        value = value + 0.5 * (across.abs().mean() + down.abs().mean()) + KL_WEIGHT * kl
        quality = 10 * torch.log10(4 / error.detach().square().mean())
        return Loss(value, {"psnr": quality.item(), "kl": kl.item()})
