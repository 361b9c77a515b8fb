"""The noise of the diffusion training: SD 1.x's schedule, velocity targets, and which timesteps are drawn."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

STEPS = 1000


def alphas_cumulative() -> Tensor:
    """Share of the signal's variance left at every timestep, float64 [1000].

    The scaled-linear betas of SD 1.x: square roots evenly spaced from sqrt(0.00085) to sqrt(0.012).
    """
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0)


class Noised(NamedTuple):
    """Noisy latents [B,4,h,w], their timesteps [B] and the velocity [B,4,h,w] a network should predict."""

    noisy: Tensor
    timesteps: Tensor
    velocity: Tensor


class NoiseSampler:
    """Draws timesteps and noise for batches of unit-variance latents.

    Timesteps are stratified, one from each of B equally likely bins, which makes the loss steadier. Those
    around ``centre``, where edges get their form, are drawn more than twice as often as the ends.
    """

    def __init__(self, centre: float = 400.0, width: float = 290.0, floor: float = 0.6) -> None:
        alphas = alphas_cumulative()
        self.signal, self.noise = alphas.sqrt().float(), (1 - alphas).sqrt().float()
        weight = floor + torch.exp(-(((torch.arange(STEPS) - centre) / width) ** 2))
        self._cumulative = torch.cumsum(weight / weight.sum(), 0)

    def timesteps(self, count: int) -> Tensor:
        """Stratified timesteps in random order, int64 [count]."""
        share = (torch.randperm(count) + torch.rand(count)) / count
        return torch.searchsorted(self._cumulative, share).clamp(max=STEPS - 1)

    def at(self, latents: Tensor, timesteps: Tensor) -> Noised:
        """Noise latents [B,4,h,w] to given timesteps; the velocity is alpha noise - sigma latent.

        Salimans & Ho 2022, "Progressive Distillation", appendix D.
        """
        shape = (-1, 1, 1, 1)
        signal = self.signal[timesteps].view(shape).to(latents.device)
        share = self.noise[timesteps].view(shape).to(latents.device)
        noise = torch.randn(latents.shape).to(latents.device)
        return Noised(
            signal * latents + share * noise, timesteps.to(latents.device), signal * noise - share * latents
        )

    def __call__(self, latents: Tensor) -> Noised:
        """Noise latents to freshly drawn timesteps."""
        return self.at(latents, self.timesteps(len(latents)))

    def clean(self, noised: Noised, velocity: Tensor) -> Tensor:
        """The latents that a predicted velocity means."""
        shape = (-1, 1, 1, 1)
        index = noised.timesteps.cpu()
        signal = self.signal[index].view(shape).to(velocity.device)
        share = self.noise[index].view(shape).to(velocity.device)
        return signal * noised.noisy - share * velocity
