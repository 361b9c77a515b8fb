"""DPM-Solver++ without noise or with ancestral noise: exact steps for simple x0 over lambda = -log sigma."""

from __future__ import annotations

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise, with_negative
from nodegraph.diffusion.samplers.kinds import OnStep, is_flow, steps_of, toward
from nodegraph.diffusion.samplers.renoise import ancestral, on_ratio
from nodegraph.runtime import StepNoise


def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """DPM-Solver++(2M) (Lu et al. 2022, "DPM-Solver++", algorithm 2).

    The exact solution of the linear part, with x0 extrapolated linearly in lambda from the last two
    estimates. One denoiser call per step; the first and the last step are of first order. Order 2.
    """
    previous: Tensor | None = None
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        target = x0
        if previous is not None and sigma_next > 0:
            target = x0 + (x0 - previous) / (2 * _length_ratio(sigmas, step))
        x = toward(x, target, sigma_next / sigma)
        previous = x0
        on_step(step, x, x0)
    return x


def dpmpp_2m_cfg_pp(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """`dpmpp_2m` on the manifold: the guided estimate, noised with what the negative one sees.

    CFG++ (Chung et al. 2024, algorithm 2, and its appendix on DPM-Solver++ 2M). Order 2 at equal estimates.
    """
    both = with_negative(denoise)
    previous: Tensor | None = None
    for step, sigma, sigma_next in steps_of(sigmas):
        x0, negative = both(x, sigma)
        ratio = sigma_next / sigma
        x = x0 + ratio * (x - negative)
        if previous is not None and sigma_next > 0:
            x = x + (1 - ratio) / (2 * _length_ratio(sigmas, step)) * (x0 - previous)
        previous = negative
        on_step(step, x, x0)
    return x


def dpmpp_2s_ancestral(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """DPM-Solver++(2S) to a level below the next one, then fresh noise up to it.

    Lu et al. 2022, "DPM-Solver++", algorithm 1 with the middle at half the way in lambda. Two denoiser calls
    per step, one for a last step to zero. The down step is of order 2 (eta 0), the process with noise of weak
    order 1.
    """
    flow = is_flow(denoise)
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        again = ancestral(sigma, sigma_next, eta, flow=flow)
        target = x0
        if again.down > 0:
            middle = _middle(sigma, again.down, flow=flow)
            target = denoise(toward(x, x0, middle / sigma), middle)
        x = toward(x, target, again.down / sigma)
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        on_step(step, x, x0)
    return x


@on_ratio
def dpmpp_2s_ancestral_cfg_pp(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
    consistent: bool = False,
) -> Tensor:
    """`dpmpp_2s_ancestral` whose steps start from x moved by the guidance: x + guided - negative.

    After CFG++ (Chung et al. 2024, algorithm 2). The step to the end moves x by the guided estimate at its
    start less the negative one at its middle: two times mixed, as other tools do it, which leaves no order of
    convergence. `consistent` takes both at the start; then it is `dpmpp_2s_ancestral` at equal estimates. Two
    denoiser calls per step, one for a last step to zero.
    """
    both = with_negative(denoise)
    for step, sigma, sigma_next in steps_of(sigmas):
        x0, negative = both(x, sigma)
        again = ancestral(sigma, sigma_next, eta)
        moved, target = x + (x0 - negative), x0
        if again.down > 0:
            middle = _middle(sigma, again.down, flow=False)
            target, later = both(toward(moved, x0, middle / sigma), middle)
            moved = moved if consistent else x + (x0 - later)
        x = toward(moved, target, again.down / sigma)
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        on_step(step, x, x0)
    return x


def _length_ratio(sigmas: Tensor, step: int) -> Tensor:
    """The length in lambda of the step before over that of this one."""
    return (sigmas[step - 1] / sigmas[step]).log() / (sigmas[step] / sigmas[step + 1]).log()


def _middle(sigma: Tensor, down: Tensor, *, flow: bool) -> Tensor:
    """The level half the way in the log of signal to noise; of pure noise there is none, so just below it."""
    if not flow:
        return (sigma * down).sqrt()
    if sigma >= 1:
        return torch.full_like(sigma, 0.9999)
    return ((sigma.logit() + down.logit()) / 2).sigmoid()
