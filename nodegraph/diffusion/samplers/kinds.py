"""What a sampler asks of its surroundings beyond its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.runtime import Sampler, StepNoise

OnStep = Callable[[int, Tensor, Tensor], None]
"""Called after every step with its index, x and x0."""


@dataclass(frozen=True, slots=True)
class Brownian:
    """A sampler whose step noise is the increments of one Brownian path, not independent draws.

    Solvers of stochastic differential equations want it: a run with more steps then follows the same path.
    """

    sampler: Sampler

    def __call__(
        self, denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep
    ) -> Tensor:
        return self.sampler(denoise, x, sigmas, noise, on_step)
