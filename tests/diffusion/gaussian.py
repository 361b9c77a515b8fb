"""Gaussian data, where the denoiser and the solution are known exactly.

For x0 ~ N(mu, s^2) and x = a * x0 + sigma * noise (a = 1, or 1 - sigma for flow) the posterior mean is
mu + a s^2 (x - a mu) / (a^2 s^2 + sigma^2), and the flow keeps (x - a mu) over the deviation of x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nodegraph.diffusion.prediction import Eps, Flow, Noising
from nodegraph.diffusion.samplers.kinds import ModelDenoise
from nodegraph.diffusion.schedules import DiscreteSchedule, FlowSchedule, scaled_linear_sigmas
from nodegraph.runtime import StepNoise

MU, S = 0.7, 0.5
HIGH, LOW = 10.0, 0.1


@dataclass
class Exact:
    """The exact denoiser, which counts its calls; both prompts say the same."""

    flow: bool = False
    calls: int = 0

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        assert sigma.ndim == 0
        self.calls += 1
        a = 1 - sigma if self.flow else torch.ones_like(sigma)
        return MU + a * S**2 * (x - a * MU) / (a**2 * S**2 + sigma**2)

    def with_negative(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        x0 = self(x, sigma)
        return x0, x0


def model(*, flow: bool = False) -> ModelDenoise:
    """The exact denoiser with what a run tells of its model."""
    if flow:
        return ModelDenoise(Exact(flow=True), Noising(Flow(), FlowSchedule()))
    return ModelDenoise(Exact(), Noising(Eps(), DiscreteSchedule(scaled_linear_sigmas())))


def moments(sigma: float, *, flow: bool = False) -> tuple[float, float]:
    """Mean and deviation of x at a level."""
    a = 1 - sigma if flow else 1.0
    return a * MU, math.sqrt((a * S) ** 2 + sigma**2)


def levels(steps: int, low: float = LOW) -> Tensor:
    return torch.logspace(math.log10(HIGH), math.log10(low), steps + 1, dtype=torch.float64)


def to_zero(steps: int) -> Tensor:
    """Levels of a run of so many steps that ends in 0."""
    return torch.cat([levels(steps - 1) if steps > 1 else levels(1)[:1], torch.zeros(1, dtype=torch.float64)])


def silent(_step: int, _x: Tensor, _x0: Tensor) -> None:
    """A step that nobody watches."""


def no_noise(sigma: float, sigma_next: float) -> Tensor:
    raise AssertionError(f"a deterministic sampler asked for noise from {sigma} to {sigma_next}")


def fresh_noise(shape: tuple[int, ...], seed: int) -> StepNoise:
    generator = torch.Generator().manual_seed(seed)

    def noise(sigma: float, sigma_next: float) -> Tensor:
        assert sigma > sigma_next
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return noise
