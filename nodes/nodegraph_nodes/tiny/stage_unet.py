"""Training of the UNet: predict the velocity of noisy latents from a caption of their scene."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.attention import Attention
from nodegraph.diffusion.nets.unet import UNet
from nodegraph_nodes.tiny.captions import caption
from nodegraph_nodes.tiny.latents import LatentSet
from nodegraph_nodes.tiny.loop import Loss, Recipe
from nodegraph_nodes.tiny.nets import TextEncoder, tokens
from nodegraph_nodes.tiny.noise import NoiseSampler
from nodegraph_nodes.tiny.tokenizer import CaptionTokenizer

RECIPE = Recipe(minutes=90, learning_rate=8e-4, warm_up=200, hold=0.6, floor=0.01, average=0.999)

#: Share of captions replaced by the empty text, for classifier-free guidance (Ho & Salimans 2022).
DROPPED = 0.1


def attend(layer: Attention, x: Tensor, context: Tensor) -> Tensor:
    """The layer's attention as two matrix products.

    PyTorch's fused attention on the CPU is made for heads of 64 channels and more; with the 8 to 16 of these
    networks the plain form trains about 1.6 times as fast.
    """
    batch, positions, width = x.shape
    heads, size = layer.heads, width // layer.heads

    def split(values: Tensor) -> Tensor:
        return values.view(batch, -1, heads, size).transpose(1, 2).reshape(batch * heads, -1, size)

    query, key, value = split(layer.to_q(x)), split(layer.to_k(context)), split(layer.to_v(context))
    weights = torch.softmax(torch.bmm(query * size**-0.5, key.transpose(1, 2)), -1, dtype=query.dtype)
    mixed = torch.bmm(weights, value).view(batch, heads, positions, size)
    out: Tensor = layer.to_out(mixed.transpose(1, 2).reshape(batch, positions, width))
    return out


class _PlainAttention(Attention):
    """Attention in the plain form, for training on the CPU."""

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return attend(self, x, context)


def for_training(unet: UNet) -> UNet:
    """Channels last in memory; on the CPU, attention in the plain form. Weights and keys stay as they are."""
    if next(unet.parameters()).device.type == "cpu":
        for module in unet.modules():
            if type(module) is Attention:
                module.__class__ = _PlainAttention
    moved: UNet = unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


class UNetStage:
    """Trains a UNet against a frozen text encoder on encoded scenes."""

    def __init__(
        self,
        unet: UNet,
        text: TextEncoder,
        tokenizer: CaptionTokenizer,
        data: LatentSet,
        *,
        batch: int = 16,
        prefix: str = "",
    ) -> None:
        self.module: nn.Module = for_training(unet)
        self.unet, self.text, self.tokenizer = unet, text.requires_grad_(False).eval(), tokenizer
        self.data, self.batch, self.prefix = data, batch, prefix
        self.rng = random.Random()
        self.noise = NoiseSampler()

    def _captions(self, indices: list[int]) -> list[str]:
        return [
            "" if self.rng.random() < DROPPED else self.prefix + caption(self.data.scenes[index], self.rng)
            for index in indices
        ]

    def loss(self, step: int, progress: float) -> Loss:  # noqa: ARG002 - the same at any time
        """Mean squared error of the velocity; every scene of the batch is used at two timesteps."""
        device = next(self.unet.parameters()).device
        indices = [self.rng.randrange(len(self.data.scenes)) for _ in range(self.batch // 2)]
        latents = self.data.latents[indices].float().to(device)
        ids = tokens(self.tokenizer, self._captions(indices)).to(device)
        noised = self.noise(torch.cat([latents, latents]))
        with torch.autocast(device.type, torch.bfloat16):
            with torch.no_grad():
                context = self.text(ids)
            noisy = noised.noisy.contiguous(memory_format=torch.channels_last)
            told = self.unet(noisy, noised.timesteps, torch.cat([context, context]))
        return Loss(functional.mse_loss(told.float(), noised.velocity), {})


@torch.no_grad()
def errors(
    unet: UNet,
    text: TextEncoder,
    tokenizer: CaptionTokenizer,
    data: LatentSet,
    steps: tuple[int, ...] = (100, 300, 500, 700, 850, 950),
) -> dict[int, float]:
    """Mean squared error of the predicted latents at fixed timesteps, with fixed captions and noise."""
    rng, noise = random.Random(5), NoiseSampler()
    device = next(unet.parameters()).device
    context = text(tokens(tokenizer, [caption(scene, rng) for scene in data.scenes]).to(device))
    latents = data.latents.float().to(device)
    result: dict[int, float] = {}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        for step in steps:
            noised = noise.at(latents, torch.full((len(latents),), step))
            clean = noise.clean(noised, unet(noised.noisy, noised.timesteps, context))
            result[step] = functional.mse_loss(clean, latents).item()
    return result
