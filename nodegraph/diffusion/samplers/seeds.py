"""SEEDS: exponential single-step solvers of the diffusion SDE, over lambda = -log sigma.

Gonzalez et al. 2023, "SEEDS: Exponential SDE Solvers for Fast High-Quality Sampling from Diffusion Models".
eta scales the noise: 1 is the diffusion SDE, 0 the probability flow. The noise of a step is one path: what a
stage has seen of it is part of the next.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, steps_of
from nodegraph.diffusion.samplers.renoise import on_ratio
from nodegraph.runtime import StepNoise


@on_ratio
def seeds_2(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
    r: float = 0.5,
) -> Tensor:
    """SEEDS-2 (Gonzalez et al. 2023, algorithm 3) with its middle at the part `r` of the way.

    Two denoiser calls per step, one for a last step to zero. Order 2 at eta 0, weak order 1 with noise.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            middle, kicks = _path(sigma, sigma_next, (r,), noise, eta, s_noise)
            there = _step(x, sigma, middle[0], eta, x0) + kicks[0]
            target = x0 + (denoise(there, middle[0]) - x0) / (2 * r)
            x = _step(x, sigma, sigma_next, eta, target) + kicks[1]
        on_step(step, x, x0)
    return x


@on_ratio
def seeds_3(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
    r_1: float = 1 / 3,
    r_2: float = 2 / 3,
) -> Tensor:
    """SEEDS-3 (Gonzalez et al. 2023, algorithm 4) with stages at the parts r_1 and r_2 of the way.

    Three denoiser calls per step, one for a last step to zero. Order 3 at eta 0, weak order 1 with noise.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            (first, second), kicks = _path(sigma, sigma_next, (r_1, r_2), noise, eta, s_noise)
            there = _step(x, sigma, first, eta, x0) + kicks[0]
            slope = (denoise(there, first) - x0) / r_1
            there = _step(x, sigma, second, eta, x0, r_2 * slope) + kicks[1]
            slope = (denoise(there, second) - x0) / r_2
            x = _step(x, sigma, sigma_next, eta, x0, slope) + kicks[2]
        on_step(step, x, x0)
    return x


def _step(
    x: Tensor, sigma: Tensor, target: Tensor, eta: float, x0: Tensor, slope: Tensor | None = None
) -> Tensor:
    """The exact step without its noise for an estimate that is constant, or grows by `slope` over it."""
    h = (sigma / target).log()
    length = h * (1 + eta)
    gain = -(-length).expm1()
    x = target / sigma * (-eta * h).exp() * x + gain * x0
    return x if slope is None else x + (1 - gain / length) * slope


def _path(
    sigma: Tensor, sigma_next: Tensor, parts: tuple[float, ...], noise: StepNoise, eta: float, s_noise: float
) -> tuple[list[Tensor], list[Tensor | float]]:
    """The levels at these parts of the way in lambda, and the noise that x gets up to each and to the end."""
    stages = [torch.lerp(sigma.log(), sigma_next.log(), part).exp() for part in parts]
    if eta <= 0 or s_noise <= 0:
        return stages, [0.0] * (len(stages) + 1)
    kicks: list[Tensor | float] = []
    gathered: Tensor | float = 0.0
    for high, low in pairwise((sigma, *stages, sigma_next)):
        kept = (low / high) ** eta  # of the noise so far, in units of the level
        gathered = kept * gathered + (1 - kept**2).sqrt() * noise(float(high), float(low))
        kicks.append(gathered * low * s_noise)
    return stages, kicks
