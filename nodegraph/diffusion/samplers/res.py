"""Exponential integrators of second order in multistep form, and extrapolated gradients."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise, with_negative
from nodegraph.diffusion.samplers.kinds import OnStep, steps_of, toward
from nodegraph.diffusion.samplers.renoise import ancestral, on_ratio
from nodegraph.runtime import StepNoise


def res_multistep(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """Refined exponential solver, multistep: x0 as a line in lambda = -log sigma, integrated exactly.

    Zhang et al. 2023, "Improved Order Analysis and Design of Exponential Integrator for Diffusion Models
    Sampling", equation 9 with the estimate of the step before for the second stage. One denoiser call per
    step; the first step and the last to zero are of first order. Order 2.
    """
    return _res(denoise, x, sigmas, noise, on_step, eta=0.0, s_noise=1.0)


@on_ratio
def res_multistep_ancestral(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """`res_multistep` to a level below the next one, then fresh noise up to it. Weak order 1 with noise."""
    return _res(denoise, x, sigmas, noise, on_step, eta, s_noise)


def res_multistep_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep
) -> Tensor:
    """`res_multistep` on the manifold: x moved by the guidance, then a step for the negative estimate.

    After CFG++ (Chung et al. 2024, algorithm 2). Order 2 at equal estimates.
    """
    return _res_cfg_pp(denoise, x, sigmas, noise, on_step, eta=0.0, s_noise=1.0)


@on_ratio
def res_multistep_ancestral_cfg_pp(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """`res_multistep_cfg_pp` to a level below the next one, then fresh noise up to it. Weak order 1."""
    return _res_cfg_pp(denoise, x, sigmas, noise, on_step, eta, s_noise)


def _res(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float,
    s_noise: float,
) -> Tensor:
    previous, down_before = None, sigmas[0]
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        again = ancestral(sigma, sigma_next, eta)
        target = x0
        if previous is not None and again.down > 0:
            target = _line(x0, previous, sigma, again.down, down_before, sigmas[step - 1])
        x = toward(x, target, again.down / sigma)
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        previous, down_before = x0, again.down
        on_step(step, x, x0)
    return x


def _res_cfg_pp(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float,
    s_noise: float,
) -> Tensor:
    both = with_negative(denoise)
    previous, down_before = None, sigmas[0]
    for step, sigma, sigma_next in steps_of(sigmas):
        x0, negative = both(x, sigma)
        again = ancestral(sigma, sigma_next, eta)
        ratio = again.down / sigma
        if previous is None or again.down == 0:
            x = x0 + ratio * (x - negative)
        else:
            target = _line(negative, previous, sigma, again.down, down_before, sigmas[step - 1])
            x = toward(x + (x0 - negative), target, ratio)
        x = again.up_again(x, noise, sigma, sigma_next, s_noise)
        previous, down_before = negative, again.down
        on_step(step, x, x0)
    return x


def _line(
    x0: Tensor, previous: Tensor, sigma: Tensor, down: Tensor, down_before: Tensor, sigma_before: Tensor
) -> Tensor:
    """The constant estimate that takes a step where the line through the last two would.

    The line is phi_2(-h) / c_2 in the paper's terms; the step before counts as long as it went down.
    """
    h, h_before = (sigma / down).log(), (sigma_before / down_before).log()
    gain = -(-h).expm1()
    return x0 + (h / gain - 1) / h_before * (x0 - previous)


def gradient_estimation(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    gamma: float = 2.0,
) -> Tensor:
    """Euler with the noise estimate pushed on along its change: gamma * new + (1 - gamma) * old.

    Permenter & Yuan 2024, "Interpreting and Improving Diffusion Models from an Optimization Perspective",
    algorithm 2. One denoiser call per step; the first and the last step are Euler's. Order 1.
    """
    before: Tensor | None = None
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        slope = (x - x0) / sigma
        if sigma_next == 0:
            x = x0
        else:
            pushed = slope if before is None else slope + (gamma - 1) * (slope - before)
            x = x + pushed * (sigma_next - sigma)
        before = slope
        on_step(step, x, x0)
    return x


def gradient_estimation_cfg_pp(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    gamma: float = 2.0,
) -> Tensor:
    """`gradient_estimation` on the manifold: the guided estimate, with the noise that the negative one sees.

    CFG++ (Chung et al. 2024, algorithm 2). Order 1.
    """
    both = with_negative(denoise)
    before: Tensor | None = None
    for step, sigma, sigma_next in steps_of(sigmas):
        x0, negative = both(x, sigma)
        slope = (x - negative) / sigma
        x = x0 + slope * sigma_next
        if before is not None and sigma_next > 0:
            x = x + (gamma - 1) * (slope - before) * (sigma_next - sigma)
        before = slope
        on_step(step, x, x0)
    return x
