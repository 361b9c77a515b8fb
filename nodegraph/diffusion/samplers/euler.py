"""First-order samplers: a straight line to the next level, with or without fresh noise."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise, with_negative
from nodegraph.diffusion.samplers.kinds import OnStep, is_flow, steps_of, toward
from nodegraph.diffusion.samplers.renoise import ancestral, on_ratio
from nodegraph.runtime import StepNoise


def euler(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """Euler's method on the probability flow, dx/dsigma = (x - x0) / sigma.

    Karras et al. 2022, algorithm 1 without its second-order correction and without churn. Order 1.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        x = x + (x - x0) / sigma * (sigma_next - sigma)
        on_step(step, x, x0)
    return x


def ddim(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """DDIM at eta 0 (Song et al. 2021, equation 12). Order 1.

    Written for x = x0 + sigma * noise, its step x0 + sigma_next * (x - x0) / sigma is Euler's step to the
    last letter (their equation 14); what makes a run "DDIM" is the schedule `ddim_uniform`.
    """
    return euler(denoise, x, sigmas, noise, on_step)


def euler_ancestral(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """Euler to a level below the next one, then fresh noise up to it: ancestral sampling. Order 1.

    Ho et al. 2020, equation 7; Song et al. 2021, equation 16 (see `renoise.ancestral`). eta 0 is `euler`.
    """
    flow = is_flow(denoise)
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        again = ancestral(sigma, sigma_next, eta, flow=flow)
        x = toward(x, x0, again.down / sigma)
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        on_step(step, x, x0)
    return x


def ddpm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """DDPM's own sampler (Ho et al. 2020, algorithm 2, variance of equation 7). Order 1.

    For x = x0 + sigma * noise the mean of its step is x0 + (sigma_next / sigma)^2 * (x - x0), which is
    `euler_ancestral` at eta 1.
    """
    return euler_ancestral(denoise, x, sigmas, noise, on_step)


@on_ratio
def euler_ancestral_cfg_pp(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """`euler_ancestral` on the manifold: the guided estimate, noised with what the negative one sees.

    CFG++ (Chung et al. 2024, algorithm 2); the scale of guidance is then 0 to 1. Order 1.
    """
    both = with_negative(denoise)
    for step, sigma, sigma_next in steps_of(sigmas):
        x0, negative = both(x, sigma)
        again = ancestral(sigma, sigma_next, eta)
        x = x0 + again.down * (x - negative) / sigma
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        on_step(step, x, x0)
    return x


def euler_cfg_pp(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """CFG++ without fresh noise (Chung et al. 2024, algorithm 2): `euler` at equal estimates. Order 1."""
    return euler_ancestral_cfg_pp(denoise, x, sigmas, noise, on_step, eta=0.0)
