"""DPM-Solver++: multistep samplers in the half log signal-to-noise ratio, lambda = -log sigma."""

from __future__ import annotations

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep
from nodegraph.runtime import StepNoise


def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:  # noqa: ARG001
    """DPM-Solver++(2M) (Lu et al. 2022, "DPM-Solver++", algorithm 2).

    The exact solution of the linear part, with x0 extrapolated linearly in lambda from the last two
    estimates. One denoiser call per step; the first and the last step are of first order. Order 2.
    """
    previous: Tensor | None = None
    for step in range(len(sigmas) - 1):
        sigma, sigma_next = sigmas[step], sigmas[step + 1]
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            h = (sigma / sigma_next).log()
            target = x0
            if previous is not None:
                r = (sigmas[step - 1] / sigma).log() / h
                target = x0 + (x0 - previous) / (2 * r)
            x = (sigma_next / sigma) * x - (-h).expm1() * target
        previous = x0
        on_step(step, x, x0)
    return x


def dpmpp_2m_sde(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, eta: float = 1.0
) -> Tensor:
    """SDE-DPM-Solver++(2M), midpoint form (Lu et al. 2022, appendix on the SDE solvers).

    eta scales the noise of the reverse process: 1 is the diffusion SDE, 0 is `dpmpp_2m`. Wants Brownian
    noise.
    """
    previous: Tensor | None = None
    for step in range(len(sigmas) - 1):
        sigma, sigma_next = sigmas[step], sigmas[step + 1]
        x0 = denoise(x, sigma)
        if sigma_next == 0:
            x = x0
        else:
            h = (sigma / sigma_next).log()
            decay = (-eta * h).exp()
            weight = -(-h - eta * h).expm1()  # what the clean estimate gains over the step
            moved = sigma_next / sigma * decay * x + weight * x0
            if previous is not None:
                r = (sigmas[step - 1] / sigma).log() / h
                moved = moved + 0.5 * weight * (x0 - previous) / r
            x = moved
            if eta > 0:
                x = x + noise(float(sigma), float(sigma_next)) * sigma_next * (-(-2 * eta * h).expm1()).sqrt()
        previous = x0
        on_step(step, x, x0)
    return x
