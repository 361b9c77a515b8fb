"""SA-Solver: a stochastic Adams method with a predictor and a corrector, over lambda = -log sigma."""

from __future__ import annotations

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import KnowsModel, OnStep, steps_of
from nodegraph.diffusion.samplers.renoise import on_ratio
from nodegraph.runtime import StepNoise


@on_ratio
def sa_solver(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
    predictor_order: int = 3,
    corrector_order: int = 4,
    use_pece: bool = False,
) -> Tensor:
    """SA-Solver (Xue et al. 2023, "SA-Solver: Stochastic Adams Solver for Fast Sampling of Diffusion Models",
    algorithm 1, equations 14 and 17).

    Noise of strength eta while the level is between those at 20 % and 80 % of the way; outside the flow is
    deterministic. Orders fall towards a last level of zero. One denoiser call per step; with `use_pece` the
    corrected state is evaluated again. Order 3 without noise.
    """
    high, low = _window(denoise, sigmas)
    lambdas = -sigmas.double().log()
    count, to_zero = len(sigmas) - 1, bool(sigmas[-1] == 0)
    made: list[Tensor] = []
    predicted, kick = x, torch.zeros_like(x)
    tau = 0.0
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(predicted, sigma)
        made = [*made, x0][-max(predictor_order, corrector_order) :]
        ahead, back = min(predictor_order, len(made)), min(corrector_order, len(made))
        if to_zero:
            ahead, back = min(ahead, count - 1 - step), min(back, count - step)
        if step == 0 or (sigma_next == 0 and not use_pece):
            x = predicted
        else:
            x = _adams(
                x, made[-back:], lambdas[step + 1 - back : step + 1], lambdas[step - 1 : step + 1], tau
            )
            x = x + kick
            if use_pece:
                x0 = made[-1] = denoise(x, sigma)
        if sigma_next == 0:
            predicted = x0
        else:
            tau = eta if low <= float(sigma_next) <= high else 0.0
            nodes = lambdas[step + 1 - ahead : step + 1]
            predicted = _adams(x, made[-ahead:], nodes, lambdas[step : step + 2], tau)
            kick = torch.zeros_like(x)
            if tau > 0 and s_noise > 0:
                deviation = sigma_next * (1 - (sigma_next / sigma) ** (2 * tau**2)).sqrt() * s_noise
                kick = noise(float(sigma), float(sigma_next)) * deviation
            predicted = predicted + kick
        on_step(step, predicted, x0)
    return predicted


def sa_solver_pece(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    eta: float = 1.0,
    s_noise: float = 1.0,
) -> Tensor:
    """`sa_solver` that evaluates the corrected state again: two denoiser calls per step but the first."""
    return sa_solver(denoise, x, sigmas, noise, on_step, eta=eta, s_noise=s_noise, use_pece=True)


def _window(denoise: Denoise, sigmas: Tensor) -> tuple[float, float]:
    """The levels between which there is noise. A function that does not know its model: all of the run."""
    if isinstance(denoise, KnowsModel):
        return denoise.level_at(0.2), denoise.level_at(0.8)
    return float(sigmas[0]), float(sigmas[-1])


def _adams(x: Tensor, made: list[Tensor], nodes: Tensor, step: Tensor, tau: float) -> Tensor:
    """x over a step of lambda for the polynomial through estimates at `nodes`, without its noise.

    The estimate counts by the integral of (1 + tau^2) exp((1 + tau^2) (u - end)) over the step; its moments
    in u - end follow by parts, and weights from them by the nodes' Vandermonde system.
    """
    speed, h = 1 + tau**2, float(step[1] - step[0])
    decay = torch.tensor(-speed * h, dtype=torch.float64).exp()
    moments = [1 - decay]
    for power in range(1, len(made)):
        moments.append(-((-h) ** power) * decay - power / speed * moments[-1])
    powers = torch.vander(nodes - step[1], len(made), increasing=True).T
    weights = torch.linalg.solve(powers, torch.stack(moments)).tolist()
    return sum((weight * x0 for weight, x0 in zip(weights, made, strict=True)), start=float(decay) * x)
