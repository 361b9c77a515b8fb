"""Linear multistep methods: slopes of earlier steps extrapolate the one to come."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, steps_of
from nodegraph.runtime import StepNoise

Weights = Callable[[Sequence[float], int, int], list[float]]
"""(levels, step, number of slopes) -> how much of each slope to add to x, the newest first."""


def lms(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, order: int = 4
) -> Tensor:
    """The linear multistep method on the probability flow: Adams-Bashforth for uneven steps in sigma.

    The polynomial through the last `order` slopes is integrated exactly (Katherine Crowson 2022,
    k-diffusion; Liu et al. 2022, "PNDM", for even steps). One denoiser call per step. Local order 4; the
    Euler step at the start leaves order 2 in all.
    """

    def weights(levels: Sequence[float], step: int, count: int) -> list[float]:
        return _adams(levels[step + 1], [levels[step - back] for back in range(count)])

    return _multistep(denoise, x, sigmas, on_step, order, weights)


def ipndm(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, order: int = 4
) -> Tensor:
    """Improved PNDM: the coefficients of Adams-Bashforth for even steps, whatever the steps are.

    Zhang & Chen 2023, "Fast Sampling of Diffusion Models with Exponential Integrator", section 4, in sigma.
    One denoiser call per step. Order 4 for even steps in sigma, 2 in general.
    """

    def weights(levels: Sequence[float], step: int, count: int) -> list[float]:
        even = (
            [1.0],
            [3 / 2, -1 / 2],
            [23 / 12, -16 / 12, 5 / 12],
            [55 / 24, -59 / 24, 37 / 24, -9 / 24],
        )[count - 1]
        return [(levels[step + 1] - levels[step]) * share for share in even]

    return _multistep(denoise, x, sigmas, on_step, order, weights)


def ipndm_v(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, order: int = 4
) -> Tensor:
    """`ipndm` with coefficients that follow uneven steps.

    Zhou et al. 2024, "Fast ODE-based Sampling for Diffusion Models in Around 5 Steps", the released solver.
    Its second difference is weighted as that solver does, which is exact for even steps only; `lms` is the
    exact method. One denoiser call per step.
    """

    def weights(levels: Sequence[float], step: int, count: int) -> list[float]:
        lengths = [levels[step + 1 - back] - levels[step - back] for back in range(count)]
        return [lengths[0] * share for share in _variable_shares(lengths)]

    return _multistep(denoise, x, sigmas, on_step, order, weights)


def deis(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, order: int = 3
) -> Tensor:
    """DEIS, the variant tAB3: the polynomial through the last slopes stands in the time of a VP process.

    Zhang & Chen 2023, "Fast Sampling of Diffusion Models with Exponential Integrator", equations 14 and 15.
    One denoiser call per step. Local order 3; the Euler step at the start leaves order 2 in all.
    """

    def weights(levels: Sequence[float], step: int, count: int) -> list[float]:
        if count == 1:
            return [levels[step + 1] - levels[step]]
        return _deis_weights(levels, step, count)

    return _multistep(denoise, x, sigmas, on_step, order, weights)


def _multistep(
    denoise: Denoise, x: Tensor, sigmas: Tensor, on_step: OnStep, order: int, weights: Weights
) -> Tensor:
    levels = [float(sigma) for sigma in sigmas]
    slopes: list[Tensor] = []  # the newest first
    for step, sigma, sigma_next in steps_of(sigmas):
        x0 = denoise(x, sigma)
        slopes = [(x - x0) / sigma, *slopes][:order]
        if sigma_next == 0:
            x = x0
        else:
            shares = weights(levels, step, len(slopes))
            x = sum((share * slope for share, slope in zip(shares, slopes, strict=True)), start=x)
        on_step(step, x, x0)
    return x


def _adams(end: float, points: Sequence[float]) -> list[float]:
    """Integrals from points[0] to `end` of the Lagrange polynomials through the points (degree 3 at most).

    By the two-point rule of Gauss, which is exact for them.
    """
    half = (end - points[0]) / 2
    times = [points[0] + half * (1 + side / math.sqrt(3)) for side in (-1, 1)]
    return [sum(half * _lagrange(points, index, time) for time in times) for index in range(len(points))]


def _lagrange(points: Sequence[float], index: int, time: float) -> float:
    others = [point for place, point in enumerate(points) if place != index]
    return math.prod((time - point) / (points[index] - point) for point in others)


def _variable_shares(lengths: Sequence[float]) -> list[float]:
    """Shares of the slopes for steps of these lengths, the newest first."""
    count, (h, h1, h2, h3) = len(lengths), (*lengths, math.inf, math.inf, math.inf)[:4]
    shares = [1.0, 0.0, 0.0, 0.0]

    def add(amount: float, *pattern: float) -> None:
        for place, part in enumerate(pattern):
            shares[place] += amount * part

    if count > 1:
        add(h / h1 / 2, 1, -1)
    if count > 2:
        a = h1 / h2
        second = (1 - h / (3 * (h + h1)) * (h * (h + h1)) / (h1 * (h1 + h2))) / 2
        add(second, 1, -(1 + a), a)
    if count > 3:
        b = h1 * (h1 + h2) / (h2 * (h2 + h3))
        third = (1 - h / (3 * (h + h1))) / 2 + (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2))
        third *= h * (h + h1) * (h + h1 + h2) / (h1 * (h1 + h2) * (h1 + h2 + h3))
        add(third, 1, -(1 + a + b), a + b * (1 + h2 / h3), -a * b)
    return shares[:count]


# The linear VP process that runs from level 80 at time 1 to 0.002 at time 0.001 (Song et al. 2021, "SDE").
_HIGH, _LOW, _LOW_TIME = math.log1p(80.0**2), math.log1p(0.002**2), 1e-3
_SLOPE = 2 * (_LOW / _LOW_TIME - _HIGH) / (_LOW_TIME - 1)
_BASE = _HIGH - _SLOPE / 2


def _deis_weights(levels: Sequence[float], step: int, count: int, pieces: int = 10_000) -> list[float]:
    """Integrals of the Lagrange polynomials in VP time over dsigma, by a sum of `pieces` points.

    The sum, not a closed form or a better rule: with few steps the difference shows, and other tools sum.
    """

    def time_of(sigma: float) -> float:
        return (math.sqrt(_BASE**2 + 2 * _SLOPE * math.log1p(sigma**2)) - _BASE) / _SLOPE

    now, end = time_of(levels[step]), time_of(levels[step + 1])
    points = [time_of(levels[step - back]) for back in range(count)]
    times = torch.linspace(now, end, pieces, dtype=torch.float64)
    squares = torch.expm1(_SLOPE * times**2 / 2 + _BASE * times)
    speed = (_SLOPE * times + _BASE) * (squares + 1) / (2 * squares.sqrt())  # dsigma / dtime
    weights = []
    for point in points:
        value = speed
        for other in points:
            if other != point:
                value = value * (times - other) / (point - other)
        weights.append(float(value.sum()) * (end - now) / pieces)
    return weights
