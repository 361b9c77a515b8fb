"""One guided prediction, and what may change it before the sampler sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from nodegraph.runtime import Noising

Combine = Callable[[Mapping[str, Tensor]], Tensor]
"""Clean estimates by prompt name -> the guided one."""

Weaken = Callable[[nn.Module], AbstractContextManager[object]]
"""Changes how a network computes until the `with` ends."""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """What the guidance knows when it has asked the denoiser once.

    x [B,C,h,w]; sigma, 0-dimensional; index: how many levels of the run lie above sigma; predictions: x0
    by prompt name; guided: what came of them so far; options: those of the rule, such as `cfg`.
    """

    x: Tensor
    sigma: Tensor
    index: int
    noising: Noising
    predictions: Mapping[str, Tensor]
    guided: Tensor
    options: Mapping[str, Any]
    combine: Combine
    again: Callable[[str, Weaken], Tensor]
    """The x0 of one prompt from a weakened network."""

    @property
    def share(self) -> Tensor | float:
        """Velocity is share * x - x0 up to a factor (see `rules.rescaled_at`)."""
        return 1.0 if self.noising.flow else 1 / (self.sigma**2 + 1)

    def within(self, start: float, end: float) -> bool:
        """Whether this level lies between two fractions of the way from noise to picture."""
        return self.noising.sigma_at(end) <= float(self.sigma) <= self.noising.sigma_at(start)

    def moved(self, guided: Tensor) -> Step:
        """The step with another guided estimate."""
        return replace(self, guided=guided)


Adjust = Callable[[Step], Step]
"""A change of one prediction: gives the step with another `guided` (or other `predictions`)."""
