"""First-order samplers: a straight line to the next level, with or without fresh noise."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep
from nodegraph.runtime import StepNoise


def euler(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:  # noqa: ARG001
    """Euler's method on the probability flow, dx/dsigma = (x - x0) / sigma.

    Karras et al. 2022, algorithm 1 without its second-order correction and without churn. Order 1.
    """
    for step in range(len(sigmas) - 1):
        sigma, sigma_next = sigmas[step], sigmas[step + 1]
        x0 = denoise(x, sigma)
        x = x + (x - x0) / sigma * (sigma_next - sigma)
        on_step(step, x, x0)
    return x


def ddim(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """DDIM at eta 0 (Song et al. 2021, equation 12).

    Written for x = x0 + sigma * noise, its step x0 + sigma_next * (x - x0) / sigma is Euler's step to the
    last letter (their equation 14); what makes a run "DDIM" is the schedule `ddim_uniform`.
    """
    return euler(denoise, x, sigmas, noise, on_step)


def euler_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, eta: float = 1.0
) -> Tensor:
    """Euler to a level below the next one, then fresh noise up to it: ancestral sampling.

    The split keeps the variance: sigma_down^2 + sigma_up^2 = sigma_next^2, with sigma_up the posterior
    deviation of DDPM (Ho et al. 2020, equation 7, in the form of Song et al. 2021, equation 16). eta 0
    is `euler`.
    """
    for step in range(len(sigmas) - 1):
        sigma, sigma_next = sigmas[step], sigmas[step + 1]
        up = eta * (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2).sqrt()
        up = up.minimum(sigma_next)
        down = (sigma_next**2 - up**2).sqrt()
        x0 = denoise(x, sigma)
        x = x + (x - x0) / sigma * (down - sigma)
        if sigma_next > 0 and eta > 0:
            x = x + noise(float(sigma), float(sigma_next)) * up
        on_step(step, x, x0)
    return x
