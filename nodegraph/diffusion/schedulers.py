"""Schedulers: the noise levels that a sampler visits. Each satisfies `nodegraph.runtime.Scheduler`.

All take the levels a model knows (`Noising`) and a number of steps, and return descending float32 levels
that end in 0. `table` is the model's table (ascending, [T]).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from nodegraph.diffusion.schedules import flux_mu, shifted
from nodegraph.errors import InputError
from nodegraph.runtime import Noising, Scheduler


@runtime_checkable
class Partial(Protocol):
    """A scheduler that cuts a run which starts part of the way in its own manner."""

    def part(self, noising: Noising, steps: int, denoise: float) -> Tensor:
        """The levels of a run of `steps` steps that starts at `denoise` (0 to 1) of the schedule."""
        ...


@runtime_checkable
class Sized(Protocol):
    """A scheduler whose levels depend on the size of the latent."""

    def for_size(self, height: int, width: int) -> Scheduler:
        """The scheduler for latents of that many cells."""
        ...


def normal(noising: Noising, steps: int) -> Tensor:
    """Timesteps spaced evenly from that of the highest level to that of the lowest, both included."""
    return _end_in_zero(noising.sigma_of(torch.linspace(*_ends(noising), steps)))


def sgm_uniform(noising: Noising, steps: int) -> Tensor:
    """Timesteps spaced evenly from the last, as `normal` with one more step, without the smallest level."""
    return _end_in_zero(noising.sigma_of(torch.linspace(*_ends(noising), steps + 1)[:-1]))


def simple(noising: Noising, steps: int) -> Tensor:
    """Every (T / steps)-th entry of the table, from the top."""
    last, stride = len(noising.table) - 1, len(noising.table) / steps
    return _end_in_zero(noising.table[torch.tensor([last - int(step * stride) for step in range(steps)])])


def ddim_uniform(noising: Noising, steps: int) -> Tensor:
    """Every (T // steps)-th entry from the second on, the timesteps of DDIM (Song et al. 2021).

    Where the stride does not divide the table evenly there is one more level than steps + 1, and more
    than T steps cannot be had: this follows the definition that other tools share.
    """
    count = len(noising.table)
    return _end_in_zero(noising.table[torch.arange(1, count, max(count // steps, 1)).flip(0)])


def karras(noising: Noising, steps: int, rho: float = 7.0) -> Tensor:
    """Even spacing of sigma^(1/rho) (Karras et al. 2022, equation 5), over the range of the table."""
    low, high = (end ** (1 / rho) for end in _range(noising))
    return _end_in_zero((high + torch.linspace(0, 1, steps) * (low - high)) ** rho)


def exponential(noising: Noising, steps: int) -> Tensor:
    """Even spacing of log sigma over the range of the table."""
    low, high = _range(noising)
    return _end_in_zero(torch.linspace(math.log(high), math.log(low), steps).exp())


def beta(noising: Noising, steps: int, a: float = 0.6, b: float = 0.6) -> Tensor:
    """Timesteps at quantiles of the Beta(a, b) distribution: denser at both ends (Lee et al. 2024).

    Timesteps that round to the same entry are visited once, so very many steps give fewer levels.
    """
    # Loaded where it is used: only this scheduler needs scipy, which publishes no types.
    from scipy.special import betaincinv

    quantiles = 1.0 - torch.arange(steps, dtype=torch.float64) / steps
    indices = torch.from_numpy(betaincinv(a, b, quantiles.numpy())) * (len(noising.table) - 1)
    return _end_in_zero(noising.table[torch.unique_consecutive(indices.round().long())])


def linear_quadratic(noising: Noising, steps: int, threshold: float = 0.025) -> Tensor:
    """Levels that fall along a line to 1 - `threshold` in the first half, then along a parabola to 0.

    In parts of the highest level, with L = steps // 2: level i is 1 - threshold * i / L, from i = L on less
    c * (i - L)^2 as well, where c makes the last level 0. The two pieces join smoothly. For flow models
    (Polyak et al. 2024, "Movie Gen", section 3.4.2).
    """
    if steps == 1:
        return _end_in_zero(noising.table[-1:])
    line = steps // 2
    index = torch.arange(steps, dtype=torch.float64)
    bend = (1 - threshold * steps / line) / (steps - line) ** 2
    removed = threshold * index / line + bend * (index - line).clamp(min=0) ** 2
    return _end_in_zero((1 - removed) * float(noising.table[-1]))


def kl_optimal(noising: Noising, steps: int) -> Tensor:
    """Even spacing of arctan(sigma) over the range of the table (Sabour et al. 2024, equation 17)."""
    low, high = (math.atan(end) for end in _range(noising))
    return _end_in_zero(torch.linspace(high, low, steps, dtype=torch.float64).tan())


@dataclass(frozen=True, slots=True)
class SdTurbo:
    """Timesteps 999, 899, 799 … (ten at most): what Turbo models were distilled on (Sauer et al. 2023)."""

    def __call__(self, noising: Noising, steps: int) -> Tensor:
        return self.part(noising, steps, 1.0)

    def part(self, noising: Noising, steps: int, denoise: float) -> Tensor:
        first = 10 - int(10 * denoise)
        if steps > 10 - first:
            raise InputError(
                "the scheduler sd_turbo has too few levels for so many steps",
                input="steps",
                expected=f"at most {10 - first} steps at denoise {denoise:g}",
                found=str(steps),
                remedy="Take fewer steps or another scheduler.",
            )
        picks = torch.arange(10, 0, -1)[first : first + steps] * 100 - 1
        return _end_in_zero(noising.sigma_of(picks))


@dataclass(frozen=True, slots=True)
class FluxShift:
    """Even times from 1 to 1/steps, shifted for the size of the picture as FLUX was trained.

    sigma = e^mu / (e^mu + 1/t - 1), with mu from the number of tokens, each 2 x 2 cells of the latent (Black
    Forest Labs' released sampling code). Without a size: that of 1024 x 1024 pictures.
    """

    tokens: int = 4096

    def __call__(self, noising: Noising, steps: int) -> Tensor:  # noqa: ARG002 - the levels are the same for all
        times = torch.linspace(1, 0, steps + 1, dtype=torch.float64)[:-1]
        return _end_in_zero(shifted(math.exp(flux_mu(self.tokens)), times))

    def for_size(self, height: int, width: int) -> Scheduler:
        return FluxShift(tokens=-(-height // 2) * -(-width // 2))


@dataclass(frozen=True, slots=True)
class AlignYourSteps:
    """Levels that were optimised for a model at ten steps, for others log-linear between them.

    Sabour et al. 2024, "Align Your Steps", the released levels.
    """

    levels: tuple[float, ...]

    def __call__(self, noising: Noising, steps: int) -> Tensor:  # noqa: ARG002 - the levels belong to the family
        logs = torch.tensor(self.levels, dtype=torch.float64).log()
        places = torch.linspace(0, len(logs) - 1, steps + 1, dtype=torch.float64)[:-1]
        low = places.floor().long()
        return _end_in_zero(torch.lerp(logs[low], logs[low + 1], places - low).exp())


AYS_SD1 = AlignYourSteps(
    (14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092,
     0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582)
)  # fmt: skip
AYS_SDXL = AlignYourSteps(
    (14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
     0.5550693289, 0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582)
)  # fmt: skip


def _ends(noising: Noising) -> tuple[float, float]:
    """The timesteps of the highest and of the lowest level."""
    high, low = noising.timestep_of(noising.table[[-1, 0]]).tolist()
    return high, low


def _range(noising: Noising) -> tuple[float, float]:
    """The lowest and the highest level."""
    return float(noising.table[0]), float(noising.table[-1])


def _end_in_zero(levels: Tensor) -> Tensor:
    return torch.cat([levels.float(), levels.new_zeros(1, dtype=torch.float32)])


SCHEDULERS: Mapping[str, Scheduler] = {
    "normal": normal,
    "karras": karras,
    "exponential": exponential,
    "sgm_uniform": sgm_uniform,
    "simple": simple,
    "ddim_uniform": ddim_uniform,
    "beta": beta,
    "linear_quadratic": linear_quadratic,
    "kl_optimal": kl_optimal,
    "sd_turbo": SdTurbo(),
    "flux_shift": FluxShift(),
    "align_your_steps": AYS_SD1,
    "align_your_steps_sdxl": AYS_SDXL,
}
"""The schedulers of this library by name."""


@dataclass(frozen=True, slots=True)
class _WithoutPenultimate:
    """A scheduler's levels for one step more, without the level before the last."""

    scheduler: Scheduler

    def __call__(self, noising: Noising, steps: int) -> Tensor:
        return _cut(self.scheduler(noising, steps + 1))

    def for_size(self, height: int, width: int) -> Scheduler:
        sized = self.scheduler
        return _WithoutPenultimate(sized.for_size(height, width) if isinstance(sized, Sized) else sized)


def without_penultimate(scheduler: Scheduler) -> Scheduler:
    """For samplers whose second-order step to a last tiny level is lost work: `samplers.WithoutPenultimate`.

    A scheduler that cuts partial runs in its own manner has no levels to spare and stays as it is.
    """
    return scheduler if isinstance(scheduler, Partial) else _WithoutPenultimate(scheduler)


def _cut(levels: Tensor) -> Tensor:
    return torch.cat([levels[:-2], levels[-1:]])


def levels_for(
    scheduler: Scheduler,
    noising: Noising,
    steps: int,
    denoise: float = 1.0,
    size: tuple[int, int] | None = None,
) -> Tensor:
    """The levels of a run of `steps` steps that starts part of the way: the last of a longer schedule.

    denoise 1 runs the whole schedule; 0.5 runs the last `steps` of int(steps / 0.5) steps; 0 gives no
    levels at all. The cut is the one of other tools, so that equal settings mean equal noise. `size`: height
    and width of the latent, for schedulers that depend on it.
    """
    if denoise <= 0:
        return torch.zeros(0)
    if size is not None and isinstance(scheduler, Sized):
        scheduler = scheduler.for_size(*size)
    if denoise > 0.9999:
        return scheduler(noising, steps)
    if isinstance(scheduler, Partial):
        return scheduler.part(noising, steps, denoise)
    return scheduler(noising, int(steps / denoise))[-(steps + 1) :]
