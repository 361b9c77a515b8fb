"""What a sampler asks of its surroundings beyond its arguments, and what it may ask of its denoiser."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise, with_negative
from nodegraph.errors import InputError
from nodegraph.runtime import Noising, Sampler, StepNoise

OnStep = Callable[[int, Tensor, Tensor], None]
"""Called after every step with its index, x and x0."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sampler with what it asks for. Calling it is calling the sampler with its options."""

    sampler: Callable[..., Tensor]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(
        self, denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep
    ) -> Tensor:
        return self.sampler(denoise, x, sigmas, noise, on_step, **self.options)


@dataclass(frozen=True, slots=True)
class Brownian(Kind):
    """A sampler whose step noise is the increments of one Brownian path, not independent draws.

    Solvers of stochastic differential equations want it: a run with more steps then follows the same path.
    """


@dataclass(frozen=True, slots=True)
class WithoutPenultimate(Kind):
    """A sampler that is given one step more than asked for and leaves out the level before the last.

    Where a schedule ends in a very small level its second-order step to it is lost work.
    """


def with_options(sampler: Sampler, options: Mapping[str, Any]) -> Sampler:
    """The sampler with values for some of its keyword parameters. InputError names those it does not have."""
    function = sampler.sampler if isinstance(sampler, Kind) else sampler
    known = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    ]
    for name in options:
        if name not in known:
            raise InputError(
                f"the sampler has no option '{name}'",
                input="sampler",
                expected=", ".join(known) or "no options",
                found=name,
            )
    if isinstance(sampler, Kind):
        return replace(sampler, options={**sampler.options, **options})
    return partial(sampler, **options) if options else sampler


@runtime_checkable
class KnowsModel(Protocol):
    """A `Denoise` that can tell how its model mixes data and noise."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor: ...

    @property
    def flow(self) -> bool:
        """Whether x = (1 - sigma) * x0 + sigma * noise; otherwise x = x0 + sigma * noise."""
        ...

    def noised(self, x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        """x of a level."""
        ...

    def level_at(self, fraction: float) -> float:
        """The level after a fraction (0 to 1) of the way from noise to picture."""
        ...


@dataclass(frozen=True, slots=True)
class ModelDenoise:
    """A `Denoise` with what is known of its model: what a run gives its sampler. Satisfies `KnowsModel`."""

    denoise: Denoise
    noising: Noising

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.denoise(x, sigma)

    def with_negative(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        return with_negative(self.denoise)(x, sigma)

    @property
    def flow(self) -> bool:
        return self.noising.flow

    def noised(self, x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        return self.noising.noised(x0, noise, sigma)

    def level_at(self, fraction: float) -> float:
        return self.noising.sigma_at(fraction)


def is_flow(denoise: Denoise) -> bool:
    """Whether x = (1 - sigma) * x0 + sigma * noise. One that does not tell has x = x0 + sigma * noise."""
    return isinstance(denoise, KnowsModel) and denoise.flow


def steps_of(sigmas: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Index, level and next level of every step."""
    for index in range(len(sigmas) - 1):
        yield index, sigmas[index], sigmas[index + 1]


def toward(x: Tensor, x0: Tensor, ratio: Tensor | float) -> Tensor:
    """x with its noise scaled by `ratio` (next level / level), if x0 is the clean picture below it.

    The exact step of the probability flow for a constant estimate, whichever way the model mixes.
    """
    return ratio * x + (1 - ratio) * x0
