"""DPM-Solver-2 in one step: the slope at the middle of a step, evenly in log sigma."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, is_flow, steps_of
from nodegraph.diffusion.samplers.renoise import ancestral
from nodegraph.runtime import StepNoise


def dpm_2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """The midpoint method with the middle at sqrt(sigma * sigma_next). Order 2.

    After Karras et al. 2022, algorithm 2 without churn, and the middle of DPM-Solver-2 (Lu et al. 2022,
    "DPM-Solver", algorithm 1). Two denoiser calls per step, one for a last step to zero.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        x = _midpoint(denoise, x, x0, sigma, sigma_next)
        on_step(step, x, x0)
    return x


def dpm_2_ancestral(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """`dpm_2` to a level below the next one, then fresh noise up to it. eta 0 is `dpm_2`.

    The down step is of order 2, the process with noise of weak order 1.
    """
    flow = is_flow(denoise)
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        again = ancestral(sigma, sigma_next, eta, flow=flow)
        x = _midpoint(denoise, x, x0, sigma, again.down)
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        on_step(step, x, x0)
    return x


def _midpoint(denoise: Denoise, x: Tensor, x0: Tensor, sigma: Tensor, target: Tensor) -> Tensor:
    slope = (x - x0) / sigma
    if target == 0:
        return x + slope * (target - sigma)
    middle = (sigma * target).sqrt()
    there = x + slope * (middle - sigma)
    return x + (there - denoise(there, middle)) / middle * (target - sigma)
