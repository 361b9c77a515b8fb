"""Steps below the next level and up again with fresh noise, and samplers on the ratio of noise to signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise, with_negative
from nodegraph.diffusion.samplers.kinds import KnowsModel, OnStep
from nodegraph.runtime import StepNoise


class Renoise(NamedTuple):
    """Go to `down`, then make scale * x + up * noise: that has the variance of the next level."""

    down: Tensor
    scale: Tensor
    up: Tensor

    def up_again(
        self, x: Tensor, noise: StepNoise, sigma: Tensor, sigma_next: Tensor, s_noise: float = 1.0
    ) -> Tensor:
        """x at `down` brought to the next level. Asks for no noise where there is none to add."""
        if not bool(self.up > 0):
            return x
        return self.scale * x + self.up * s_noise * noise(float(sigma), float(sigma_next))


def ancestral(sigma: Tensor, sigma_next: Tensor, eta: float, *, flow: bool = False) -> Renoise:
    """How far an ancestral step goes down, and how it comes up again to sigma_next. eta 0 adds no noise.

    For x = x0 + sigma * noise: up is eta times the posterior deviation of DDPM (Ho et al. 2020, equation 7,
    in the form of Song et al. 2021, equation 16), down^2 + up^2 = sigma_next^2. For flow: down = sigma_next *
    (1 + eta * (sigma_next / sigma - 1)), and x is scaled by the ratio of what both levels keep of the data.
    """
    one = torch.ones_like(sigma)
    if flow:
        down = sigma_next * (1 + (sigma_next / sigma - 1) * eta)
        scale = (1 - sigma_next) / (1 - down)
        return Renoise(down, scale, (sigma_next**2 - (down * scale) ** 2).clamp(min=0).sqrt())
    up = eta * (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2).sqrt()
    up = up.minimum(sigma_next)
    return Renoise((sigma_next**2 - up**2).sqrt() if eta else sigma_next, one, up)


START = 1e-4
"""Where a flow begins whose first level, 1, has no signal at all: the fraction of the way."""


def on_ratio(sampler: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a sampler that is written for x = x0 + sigma * noise serve flow models as well.

    x / (1 - sigma) has that form at the level sigma / (1 - sigma), the ratio of noise to signal, so the
    sampler is run on that. A first level of 1 has no such ratio: it gives way to one just below.
    """

    @wraps(sampler)
    def run(
        denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, **options: object
    ) -> Tensor:
        if not isinstance(denoise, KnowsModel) or not denoise.flow or len(sigmas) < 2:
            return sampler(denoise, x, sigmas, noise, on_step, **options)
        if sigmas[0] >= 1:
            start = max(denoise.level_at(START), float(sigmas[1]))
            sigmas = torch.cat([sigmas.new_tensor([start]), sigmas[1:]])
        ratios = sigmas / (1 - sigmas)
        result = sampler(
            _RatioDenoise(denoise, denoise),
            x / (1 - sigmas[0]),
            ratios,
            lambda high, low: noise(_level(high), _level(low)),
            lambda index, y, x0: on_step(index, y * (1 - sigmas[index + 1]), x0),
            **options,
        )
        return result * (1 - sigmas[-1])

    return run


@dataclass(frozen=True, slots=True)
class _RatioDenoise:
    """The denoiser of x / (1 - sigma) at the level sigma / (1 - sigma). Satisfies `KnowsModel`."""

    denoise: Denoise
    model: KnowsModel
    flow = False

    def __call__(self, y: Tensor, ratio: Tensor) -> Tensor:
        return self.denoise(y / (1 + ratio), ratio / (1 + ratio))

    def with_negative(self, y: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
        return with_negative(self.denoise)(y / (1 + ratio), ratio / (1 + ratio))

    def noised(self, x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        return x0 + sigma * noise

    def level_at(self, fraction: float) -> float:
        sigma = self.model.level_at(fraction)
        return sigma / (1 - sigma) if sigma < 1 else math.inf


def _level(ratio: float) -> float:
    return ratio / (1 + ratio)
