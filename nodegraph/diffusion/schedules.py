"""Training schedules: the noise levels of a model as a table, and the maps between level and timestep.

A noise level sigma means x = x0 + sigma * noise (the "variance exploding" form of Karras et al. 2022) or,
for flow models, x = (1 - sigma) * x0 + sigma * noise. In the first form it relates to the cumulative alpha
of DDPM by sigma = sqrt((1 - alpha) / alpha).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from nodegraph.errors import InputError
from nodegraph.values import NoiseSchedule

TRAINING_STEPS = 1000


class Schedule(Protocol):
    """The levels of a model. Timesteps are in the schedule's own unit, as its network was told them."""

    @property
    def table(self) -> Tensor:
        """float32 [T], ascending, on the CPU."""
        ...

    def sigma_of(self, timestep: Tensor) -> Tensor:
        """The level at a timestep, which may be fractional."""
        ...

    def timestep_of(self, sigma: Tensor) -> Tensor:
        """The timestep that the network is given for a level, float32 of sigma's shape."""
        ...

    def sigma_at(self, fraction: float) -> float:
        """The level after a fraction (0 to 1) of the whole way from pure noise to the picture.

        At 0 it is above every level of the table (flow: 1), at 1 it is 0.
        """
        ...


@dataclass(frozen=True, eq=False)
class DiscreteSchedule:
    """A model that was trained on whole timesteps 0 to T - 1 (DDPM and its kin)."""

    table: Tensor
    _copies: dict[torch.device, Tensor] = field(default_factory=dict, init=False, repr=False)

    def sigma_of(self, timestep: Tensor) -> Tensor:
        return sigma_of_timestep(self._on(timestep.device), timestep)

    def timestep_of(self, sigma: Tensor) -> Tensor:
        return nearest_timestep(self._on(sigma.device), sigma).float()

    def _on(self, device: torch.device) -> Tensor:
        """The table on a device, brought there once: a copy in every step would make the device wait."""
        if device not in self._copies:
            self._copies[device] = self.table.to(device)
        return self._copies[device]

    def sigma_at(self, fraction: float) -> float:
        last = len(self.table) - 1
        return _at(fraction, math.inf, lambda: float(self.sigma_of(torch.tensor((1 - fraction) * last))))


@dataclass(frozen=True, eq=False)
class EdmSchedule:
    """A continuous schedule, log-uniform between two levels, whose timestep is ln(sigma) / 4.

    Karras et al. 2022, table 1 (c_noise of their own preconditioning).
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    table: Tensor = field(init=False)

    def __post_init__(self) -> None:
        ends = math.log(self.sigma_min), math.log(self.sigma_max)
        object.__setattr__(self, "table", torch.linspace(*ends, TRAINING_STEPS).exp())

    def sigma_of(self, timestep: Tensor) -> Tensor:
        return (4 * timestep).exp()

    def timestep_of(self, sigma: Tensor) -> Tensor:
        return sigma.log() / 4

    def sigma_at(self, fraction: float) -> float:
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        return _at(fraction, math.inf, lambda: math.exp(high + fraction * (low - high)))


@dataclass(frozen=True, eq=False)
class FlowSchedule:
    """Levels of a flow model: times 0 to 1, shifted towards noise for large pictures.

    sigma = s * t / (1 + (s - 1) * t) with shift s (Esser et al. 2024, equation 23). The network is given
    sigma * multiplier: 1000 for SD3, 1 for most others.
    """

    shift: float = 1.0
    multiplier: float = 1000.0
    table: Tensor = field(init=False)

    def __post_init__(self) -> None:
        times = torch.arange(1, TRAINING_STEPS + 1) / TRAINING_STEPS
        object.__setattr__(self, "table", shifted(self.shift, times))

    def sigma_of(self, timestep: Tensor) -> Tensor:
        return shifted(self.shift, timestep / self.multiplier)

    def timestep_of(self, sigma: Tensor) -> Tensor:
        return sigma * self.multiplier

    def sigma_at(self, fraction: float) -> float:
        return _at(fraction, 1.0, lambda: float(shifted(self.shift, torch.tensor(1 - fraction))))


@dataclass(frozen=True, eq=False)
class FluxSchedule:
    """Levels of FLUX: sigma = e^mu / (e^mu + 1/t - 1), which is the shift e^mu; the network is given sigma.

    mu 1.15 is right for 1024 x 1024 pictures; `flux_mu` gives it for other sizes.
    """

    mu: float = 1.15
    table: Tensor = field(init=False)

    def __post_init__(self) -> None:
        count = 10 * TRAINING_STEPS
        object.__setattr__(self, "table", self.sigma_of(torch.arange(1, count + 1) / count))

    def sigma_of(self, timestep: Tensor) -> Tensor:
        return shifted(math.exp(self.mu), timestep)

    def timestep_of(self, sigma: Tensor) -> Tensor:
        return sigma

    def sigma_at(self, fraction: float) -> float:
        return _at(fraction, 1.0, lambda: float(self.sigma_of(torch.tensor(1 - fraction))))


def schedule_of(declared: NoiseSchedule) -> Schedule:
    """The schedule that a family or a recipe declares. InputError lists the kinds where it knows none."""
    if declared.kind in _BETAS:
        table = _BETAS[declared.kind]()
        return DiscreteSchedule(zero_terminal_snr(table) if declared.zero_terminal_snr else table)
    match declared.kind:
        case "edm":
            return EdmSchedule()
        case "flow":
            return FlowSchedule(declared.shift, declared.multiplier)
        case "flux":
            return FluxSchedule(math.log(declared.shift))
    kinds = ", ".join([*_BETAS, "edm", "flow", "flux"])
    raise InputError("the schedule is unknown", expected=f"one of {kinds}", found=declared.kind)


def shifted(shift: float, time: Tensor) -> Tensor:
    """s * t / (1 + (s - 1) * t): the same picture at s times the noise-to-signal ratio."""
    return shift * time / (1 + (shift - 1) * time)


def flux_mu(tokens: int, base: float = 0.5, most: float = 1.15) -> float:
    """FLUX's mu for a number of tokens (2 x 2 latent cells each): `base` at 256, `most` at 4096, linear."""
    return base + (most - base) * (tokens - 256) / (4096 - 256)


def scaled_linear_sigmas(start: float = 0.00085, end: float = 0.012, count: int = TRAINING_STEPS) -> Tensor:
    """The table of SD 1.x: float32 [count], ascending, 0.0292 to 14.61.

    Betas are squares of an even spacing between the roots of `start` and `end` (Rombach et al. 2022,
    the released configs' `linear` schedule); sums run in float64.
    """
    return _sigmas_of_betas(torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2)


def linear_sigmas(start: float = 0.0001, end: float = 0.02, count: int = TRAINING_STEPS) -> Tensor:
    """The table of DDPM (Ho et al. 2020, section 4): evenly spaced betas. Float32 [count], ascending."""
    return _sigmas_of_betas(torch.linspace(start, end, count, dtype=torch.float64))


def zero_terminal_snr(table: Tensor) -> Tensor:
    """The table of a model that was trained down to pure noise (Lin et al. 2024, algorithm 1).

    Square roots of the cumulative alphas are moved and stretched so that the last becomes 0 and the first
    stays. The level of that would be infinite: the last alpha is 4.897e-8, a level of 4518.6.
    """
    roots = (1 / (table.double() ** 2 + 1)).sqrt()
    first, last = float(roots[0]), float(roots[-1])
    alphas = ((roots - last) * (first / (first - last))) ** 2
    alphas[-1] = 4.8973451890853435e-08
    return ((1 - alphas) / alphas).sqrt().float()


def sigma_of_timestep(table: Tensor, t: Tensor) -> Tensor:
    """The noise level of a timestep, which may be fractional: linear in t and log sigma between entries."""
    t = t.to(torch.float32).clamp(0, len(table) - 1)
    low, high = t.floor().long(), t.ceil().long()
    weight = t - low
    logs = table.log()
    return torch.exp((1 - weight) * logs[low] + weight * logs[high])


def timestep_of_sigma(table: Tensor, sigma: Tensor) -> Tensor:
    """The fractional timestep of a noise level, the inverse of `sigma_of_timestep`; clamped to the table."""
    logs = table.log()
    log_sigma = sigma.log().clamp(logs[0], logs[-1])
    high = torch.searchsorted(logs, log_sigma).clamp(1, len(table) - 1)
    low = high - 1
    weight = (log_sigma - logs[low]) / (logs[high] - logs[low])
    return low + weight


def nearest_timestep(table: Tensor, sigma: Tensor) -> Tensor:
    """The training timestep whose log sigma is nearest: int64 of sigma's shape.

    What the network is given: it has seen whole timesteps only, and other tools round here as well.
    """
    return timestep_of_sigma(table, sigma).round().long()


def _sigmas_of_betas(betas: Tensor) -> Tensor:
    alphas = torch.cumprod(1.0 - betas, dim=0)
    return ((1.0 - alphas) / alphas).sqrt().float()


def _at(fraction: float, start: float, inside: Callable[[], float]) -> float:
    if fraction <= 0:
        return start
    return 0.0 if fraction >= 1 else inside()


_BETAS: dict[str, Callable[[], Tensor]] = {"scaled_linear": scaled_linear_sigmas, "linear": linear_sigmas}
