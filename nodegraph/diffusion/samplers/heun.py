"""Heun's second-order sampler."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep
from nodegraph.runtime import StepNoise


def heun(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:  # noqa: ARG001
    """Heun's method on the probability flow: the mean of the slopes at both ends of a step.

    Karras et al. 2022, algorithm 1 (deterministic). Two denoiser calls per step, one for the last step to
    zero, where the slope at the end does not exist. Order 2.
    """
    for step in range(len(sigmas) - 1):
        sigma, sigma_next = sigmas[step], sigmas[step + 1]
        x0 = denoise(x, sigma)
        slope = (x - x0) / sigma
        end = x + slope * (sigma_next - sigma)
        if sigma_next > 0:
            slope_there = (end - denoise(end, sigma_next)) / sigma_next
            end = x + (slope + slope_there) / 2 * (sigma_next - sigma)
        x = end
        on_step(step, x, x0)
    return x
