"""What a sampler asks of its surroundings beyond its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.errors import InputError
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


def with_options(sampler: Sampler, options: Mapping[str, Any]) -> Sampler:
    """The sampler with values for some of its keyword parameters. InputError names those it does not have."""
    if isinstance(sampler, Brownian):
        return Brownian(with_options(sampler.sampler, options))
    parameters = inspect.signature(sampler).parameters.values()
    known = [one.name for one in parameters if one.default is not inspect.Parameter.empty]
    for name in options:
        if name not in known:
            raise InputError(
                f"the sampler has no option '{name}'",
                input="sampler",
                expected=", ".join(known) or "no options",
                found=name,
            )
    return partial(sampler, **options) if options else sampler
