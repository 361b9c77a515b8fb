"""UniPC: a predictor and a corrector of one form, over lambda = -log sigma."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep, toward
from nodegraph.runtime import StepNoise

SMALLEST = 0.001
"""The level that stands for zero at the end of a run."""


def uni_pc(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    order: int = 3,
    variant: Literal["bh1", "bh2"] = "bh1",
) -> Tensor:
    """UniPC-3 (Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of
    Diffusion Models", algorithms 5 and 6, for x0).

    The corrector uses the estimate that the next step needs anyway: one denoiser call per step. B(h) is h in
    variant "bh1", e^h - 1 in "bh2". A last level of zero is taken as 0.001. Local order 3; the last step is
    of order 1, which leaves order 2 in all.
    """
    levels = sigmas.clone()
    if levels[-1] == 0:
        levels[-1] = SMALLEST
    last = len(levels) - 1
    order = min(order, last - 1)
    lambdas = [-math.log(level) for level in levels.tolist()]
    if last < 1:
        return x
    made = [denoise(x, levels[0])]  # at the levels before, the newest last
    for step in range(last):
        used = max(min(order, step + 1, last - step), 1)
        past, times, end = made[-used:], lambdas[step + 1 - used : step + 1], lambdas[step + 1]
        base = toward(x, past[-1], levels[step + 1] / levels[step])
        x = base + _correction(past, times, end, variant)
        shown = past[-1]
        if step + 1 < last:
            shown = denoise(x, levels[step + 1])
            x = base + _correction(past, times, end, variant, shown)
            made = [*made, shown][-3:]
        on_step(step, x, shown)
    return x


def uni_pc_bh2(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep, order: int = 3
) -> Tensor:
    """`uni_pc` with B(h) = e^h - 1 (Zhao et al. 2023, section 3.4). Order 2 in all."""
    return uni_pc(denoise, x, sigmas, noise, on_step, order, variant="bh2")


def _correction(
    past: Sequence[Tensor],
    times: Sequence[float],
    end: float,
    variant: str,
    new: Tensor | None = None,
) -> Tensor:
    """What differences of estimates add to the step for a constant one: predictor, or corrector with `new`.

    past and times: estimates and their lambdas, the newest last.
    """
    h = times[-1] - end  # of -lambda: negative
    scale = h if variant == "bh1" else math.expm1(h)
    places = [(time - times[-1]) / -h for time in times[-2::-1]]
    changes = [(estimate - past[-1]) / place for estimate, place in zip(past[-2::-1], places, strict=True)]
    if new is not None:
        places, changes = [*places, 1.0], [*changes, new - past[-1]]
    weights = _weights(places, h, scale)
    return -scale * sum(
        (weight * change for weight, change in zip(weights, changes, strict=True)),
        start=torch.zeros_like(past[-1]),
    )


def _weights(places: Sequence[float], h: float, scale: float) -> list[float]:
    """The weights that make the moments of the differences right (equation 9); 1/2 where there is but one.

    That is the paper's simplification for a first corrector and a second-order predictor.
    """
    if len(places) < 2:
        return [0.5] * len(places)
    phi, right = math.expm1(h) / h - 1, []
    for power in range(1, len(places) + 1):
        right.append(phi * math.factorial(power) / scale)
        phi = phi / h - 1 / math.factorial(power + 1)
    rows = torch.tensor(
        [[place**power for place in places] for power in range(len(places))], dtype=torch.float64
    )
    return [float(value) for value in torch.linalg.solve(rows, torch.tensor(right, dtype=torch.float64))]
