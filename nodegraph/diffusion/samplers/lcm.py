"""The sampler of latent consistency models."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import KnowsModel, OnStep, steps_of
from nodegraph.runtime import StepNoise


def lcm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """Jump to the clean estimate, noise it again to the next level, repeat.

    Multistep consistency sampling (Song et al. 2023, "Consistency Models", algorithm 1; Luo et al. 2023,
    "Latent Consistency Models"). Made for models distilled to a few steps: it approximates no trajectory,
    so it has no order.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        x = x0
        if sigma_next > 0:
            fresh = noise(float(sigma), float(sigma_next))
            if isinstance(denoise, KnowsModel):
                x = denoise.noised(x0, fresh, sigma_next)
            else:
                x = x0 + sigma_next * fresh
        on_step(step, x, x0)
    return x
