"""Heun's method and its kin: slopes at levels further down correct the first one."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, steps_of
from nodegraph.runtime import StepNoise


def heun(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """Heun's method on the probability flow: the mean of the slopes at both ends of a step.

    Karras et al. 2022, algorithm 1 (deterministic). Two denoiser calls per step, one for the last step to
    zero, where the slope at the end does not exist. Order 2.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        slope = (x - x0) / sigma
        end = x + slope * (sigma_next - sigma)
        if sigma_next > 0:
            slope_there = (end - denoise(end, sigma_next)) / sigma_next
            end = x + (slope + slope_there) / 2 * (sigma_next - sigma)
        x = end
        on_step(step, x, x0)
    return x


def heunpp2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """Heun with a second look ahead, weighted by level: Heun++ (Carzit 2023, sd-webui-samplers-scheduler).

    The slopes at this level, the next and the one after weigh 1 - b - c, b and c, with b and c those levels
    over three times the first of the run; the last step but one looks one level ahead (over twice the
    first), the last takes Euler's. Up to three denoiser calls per step. Formally of order 1: the weights
    of the slopes ahead vanish towards the end.
    """
    last, first = sigmas[-1], sigmas[0]
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        slope = (x - x0) / sigma
        ahead: list[tuple[Tensor, Tensor]] = []  # slopes further down, and their levels
        there, slope_there, here = x, slope, sigma
        for level in sigmas[step + 1 : step + 3]:
            if level == last:
                break
            there = there + slope_there * (level - here)
            slope_there, here = (there - denoise(there, level)) / level, level
            ahead.append((slope_there, level))
        mixed = slope
        for other, level in ahead:
            mixed = mixed + (other - slope) * level / ((len(ahead) + 1) * first)
        x = x + mixed * (sigma_next - sigma)
        on_step(step, x, x0)
    return x
