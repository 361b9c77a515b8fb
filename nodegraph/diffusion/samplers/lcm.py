"""The sampler of latent consistency models."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep
from nodegraph.runtime import StepNoise


def lcm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """Jump to the clean estimate, noise it again to the next level, repeat.

    Multistep consistency sampling (Song et al. 2023, "Consistency Models", algorithm 1; Luo et al. 2023,
    "Latent Consistency Models"). Made for models distilled to a few steps.
    """
    for step in range(len(sigmas) - 1):
        sigma, sigma_next = sigmas[step], sigmas[step + 1]
        x0 = denoise(x, sigma)
        x = x0 + sigma_next * noise(float(sigma), float(sigma_next)) if sigma_next > 0 else x0
        on_step(step, x, x0)
    return x
