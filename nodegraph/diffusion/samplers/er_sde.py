"""ER-SDE: a solver for a family of reverse-time equations whose noise can be scaled freely."""

from __future__ import annotations

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, steps_of
from nodegraph.diffusion.samplers.renoise import on_ratio
from nodegraph.runtime import StepNoise


@on_ratio
def er_sde(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    s_noise: float = 1.0,
    max_stage: int = 3,
) -> Tensor:
    """Extended reverse-time SDE solver 3 (Cui et al. 2023, "Elucidating the Solution Space of Extended
    Reverse-Time SDE for Diffusion Models", algorithm 3; noise scale phi(s) = s * (exp(s^0.3) + 10)).

    x0 as a parabola in sigma through the last three estimates; one denoiser call per step, the first two of
    lower order. Weak order 1 with noise.
    """
    past: list[Tensor] = []  # the estimate before and its slope, where there are any
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            scale = _scale(sigma_next)
            ratio = scale / _scale(sigma)
            x = ratio * x + (1 - ratio) * x0
            now: list[Tensor] = [x0]
            if past and max_stage >= 2:
                change = sigma_next - sigma
                levels, width = _points(sigma, sigma_next)
                slope = (x0 - past[0]) / (sigma - sigmas[step - 1])
                x = x + (change + scale * (1 / _scale(levels)).sum() * width) * slope
                if len(past) > 1 and max_stage >= 3:
                    bend = (slope - past[1]) / ((sigma - sigmas[step - 2]) / 2)
                    moment = ((levels - sigma) / _scale(levels)).sum() * width
                    x = x + (change**2 / 2 + scale * moment) * bend
                now.append(slope)
            variance = sigma_next**2 - (sigma * ratio) ** 2
            if s_noise > 0:
                fresh = noise(float(sigma), float(sigma_next))
                x = x + s_noise * variance.clamp(min=0).sqrt() * fresh
            past = now
        on_step(step, x, x0)
    return x


def _scale(sigma: Tensor) -> Tensor:
    return sigma * ((sigma**0.3).exp() + 10)


def _points(sigma: Tensor, sigma_next: Tensor, count: int = 200) -> tuple[Tensor, Tensor]:
    """The points of the paper's sum for an integral over a step (their code's 200), and their distance."""
    width = (sigma - sigma_next) / count
    return sigma_next + torch.arange(count, dtype=sigma.dtype) * width, width
