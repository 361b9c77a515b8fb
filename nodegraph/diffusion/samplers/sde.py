"""DPM-Solver++ for the diffusion SDE: samplers with Brownian noise, over lambda = -log sigma.

Lu et al. 2022, "DPM-Solver++", appendix on SDE solvers, and Katherine Crowson 2022 to 2023 (k-diffusion).
eta scales the noise of the reverse process: 1 is the diffusion SDE, 0 the probability flow. Flow models are
run on their ratio of noise to signal.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, steps_of, toward
from nodegraph.diffusion.samplers.renoise import ancestral, on_ratio
from nodegraph.runtime import StepNoise


@on_ratio
def dpmpp_sde(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
    r: float = 0.5,
) -> Tensor:
    """SDE-DPM-Solver++ in single steps with a middle at the part `r` of the way in lambda.

    Both the middle and the end are reached by an ancestral step from the start. Two denoiser calls per step,
    one for a last step to zero. Order 2 at eta 0, weak order 1 with noise.
    """
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            # In these very steps, so that the path is asked at the same float32 as elsewhere.
            middle = (sigma.log() + r * (sigma_next.log() - sigma.log())).exp()
            again = ancestral(sigma, middle, eta)
            there = again.up_again(toward(x, x0, again.down / sigma), noise, sigma, middle, s_noise)
            x0_there = denoise(there, middle)
            again = ancestral(sigma, sigma_next, eta)
            target = x0 + (x0_there - x0) / (2 * r)
            x = again.up_again(toward(x, target, again.down / sigma), noise, sigma, sigma_next, s_noise)
        on_step(step, x, x0)
    return x


@on_ratio
def dpmpp_2m_sde(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
    solver_type: Literal["midpoint", "heun"] = "midpoint",
) -> Tensor:
    """SDE-DPM-Solver++(2M): x0 extrapolated from the last two estimates.

    solver_type says how the slope of x0 in lambda counts: "midpoint" as its value at half the way, which at
    eta 0 is `dpmpp_2m`, "heun" integrated exactly. One denoiser call per step; the first and the last are of
    first order. Order 2 at eta 0, weak order 1 with noise.
    """
    previous, length_before = None, sigmas[0]
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            h = (sigma / sigma_next).log()
            length = h * (1 + eta)
            gain = -(-length).expm1()  # what the clean estimate gains over the step
            x = sigma_next / sigma * (-eta * h).exp() * x + gain * x0
            if previous is not None:
                share = 0.5 * gain if solver_type == "midpoint" else 1 - gain / length
                x = x + share * h / length_before * (x0 - previous)
            x = _kicked(x, noise, sigma, sigma_next, eta, s_noise)
            length_before = h
        previous = x0
        on_step(step, x, x0)
    return x


def dpmpp_2m_sde_heun(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """`dpmpp_2m_sde` with solver_type "heun". Order 2 at eta 0, weak order 1 with noise."""
    return dpmpp_2m_sde(denoise, x, sigmas, noise, on_step, eta=eta, s_noise=s_noise, solver_type="heun")


@on_ratio
def dpmpp_3m_sde(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """SDE-DPM-Solver++(3M): x0 as a parabola in lambda through the last three estimates.

    One denoiser call per step; the first step is of first, the second of second order, which leaves order 2
    in all at eta 0, weak order 1 with noise.
    """
    past: list[tuple[Tensor, Tensor]] = []  # estimates and the lengths of the steps from them, newest first
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            h = (sigma / sigma_next).log()
            length = h * (1 + eta)
            phi_1 = -(-length).expm1()
            phi_2 = 1 - phi_1 / length
            x = sigma_next / sigma * (-eta * h).exp() * x + phi_1 * x0
            if len(past) == 1:
                (before, h_1) = past[0]
                x = x + phi_2 * (x0 - before) * h / h_1
            elif past:
                (before, h_1), (earlier, h_2) = past
                slope, slope_before = (x0 - before) * h / h_1, (before - earlier) * h / h_2
                bend = (slope - slope_before) * h / (h_1 + h_2)
                slope = slope + bend * h_1 / h
                x = x + phi_2 * slope - (phi_2 / length - 0.5) * bend
            x = _kicked(x, noise, sigma, sigma_next, eta, s_noise)
            past = [(x0, h), *past][:2]
        on_step(step, x, x0)
    return x


def _kicked(
    x: Tensor, noise: StepNoise, sigma: Tensor, sigma_next: Tensor, eta: float, s_noise: float
) -> Tensor:
    """x with the noise of the SDE over a step: variance sigma_next^2 * (1 - (sigma_next / sigma)^(2 eta))."""
    if eta <= 0 or s_noise <= 0:
        return x
    deviation = sigma_next * (1 - (sigma_next / sigma) ** (2 * eta)).sqrt() * s_noise
    return x + noise(float(sigma), float(sigma_next)) * deviation
