"""From what a network predicts to the clean estimate x0: how noise and data are mixed, and what is trained.

`Noising` pairs a prediction type (eps, v, EDM, flow) with a schedule of levels. It tells samplers how a
noisy latent is made, and turns any network of (x, timesteps) into a denoiser of (x, sigma):

    noising = Noising(Flow(), FlowSchedule(shift=3.0))
    x0 = noising.x0(lambda x, t: network(x, t, tokens), x, sigma)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from nodegraph.diffusion.schedules import Schedule
from nodegraph.errors import InputError


class Prediction(Protocol):
    """What a network was trained to predict. Levels broadcast against x [B,C,h,w]: [B,1,1,1] or a scalar."""

    @property
    def flow(self) -> bool:
        """Whether x = (1 - sigma) * x0 + sigma * noise; otherwise x = x0 + sigma * noise."""
        ...

    def scaled_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        """What the network is given for x."""
        ...

    def x0(self, x: Tensor, sigma: Tensor, output: Tensor) -> Tensor:
        """The clean estimate from x and what the network gave."""
        ...


@dataclass(frozen=True, slots=True)
class Eps:
    """The network predicts the noise (Ho et al. 2020); its input has unit variance for data of sigma_data."""

    sigma_data: float = 1.0
    flow = False

    def scaled_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        return _unit_variance(x, sigma, self.sigma_data)

    def x0(self, x: Tensor, sigma: Tensor, output: Tensor) -> Tensor:
        return x - sigma * output


@dataclass(frozen=True, slots=True)
class Velocity:
    """The network predicts v = alpha * noise - deviation * x0 (Salimans & Ho 2022, section 4)."""

    sigma_data: float = 1.0
    flow = False

    def scaled_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        return _unit_variance(x, sigma, self.sigma_data)

    def x0(self, x: Tensor, sigma: Tensor, output: Tensor) -> Tensor:
        return _skip(x, sigma, self.sigma_data) - _out(sigma, self.sigma_data) * output


@dataclass(frozen=True, slots=True)
class Edm:
    """The network predicts a scaled residual of x0 (Karras et al. 2022, equation 7 and table 1).

    The same as `Velocity` with the sign of the network turned.
    """

    sigma_data: float = 0.5
    flow = False

    def scaled_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        return _unit_variance(x, sigma, self.sigma_data)

    def x0(self, x: Tensor, sigma: Tensor, output: Tensor) -> Tensor:
        return _skip(x, sigma, self.sigma_data) + _out(sigma, self.sigma_data) * output


@dataclass(frozen=True, slots=True)
class Flow:
    """The network predicts noise - x0, the velocity of a straight path (Lipman et al. 2023)."""

    flow = True

    def scaled_input(self, x: Tensor, sigma: Tensor) -> Tensor:  # noqa: ARG002 - one form for all predictions
        return x

    def x0(self, x: Tensor, sigma: Tensor, output: Tensor) -> Tensor:
        return x - sigma * output


def _unit_variance(x: Tensor, sigma: Tensor, data: float) -> Tensor:
    return x / (sigma**2 + data**2).sqrt()


def _skip(x: Tensor, sigma: Tensor, data: float) -> Tensor:
    return x * data**2 / (sigma**2 + data**2)


def _out(sigma: Tensor, data: float) -> Tensor:
    return sigma * data / (sigma**2 + data**2).sqrt()


@dataclass(frozen=True, eq=False, slots=True)
class Noising:
    """A prediction type and a schedule: satisfies `nodegraph.runtime.Noising`."""

    prediction: Prediction
    schedule: Schedule

    @property
    def table(self) -> Tensor:
        return self.schedule.table

    @property
    def flow(self) -> bool:
        return self.prediction.flow

    def sigma_of(self, timestep: Tensor) -> Tensor:
        return self.schedule.sigma_of(timestep)

    def timestep_of(self, sigma: Tensor) -> Tensor:
        return self.schedule.timestep_of(sigma)

    def sigma_at(self, fraction: float) -> float:
        return self.schedule.sigma_at(fraction)

    def noised(self, x0: Tensor, noise: Tensor, sigma: Tensor | float, *, full: bool = False) -> Tensor:
        level = torch.as_tensor(sigma, dtype=x0.dtype, device=x0.device)
        if self.flow:
            return level * noise + (1 - level) * x0
        # At the top of the schedule training saw next to no data: the start takes its variance too.
        return x0 + ((1 + level**2).sqrt() if full else level) * noise

    def clean(self, x: Tensor, sigma: Tensor | float) -> Tensor:
        return x / (1 - sigma) if self.flow else x

    def x0(self, network: Callable[[Tensor, Tensor], Tensor], x: Tensor, sigma: Tensor) -> Tensor:
        """The clean estimate [B,C,h,w], float32, for x [B,C,h,w] and sigma [B].

        `network(scaled x, timesteps [B])` computes in whatever dtype it likes; x and the result stay
        float32, because differences of large numbers near the end of a run would drown in half precision.
        """
        level = sigma.view(-1, *(1 for _ in x.shape[1:]))
        output = network(self.prediction.scaled_input(x, level), self.schedule.timestep_of(sigma))
        return self.prediction.x0(x, level, output.float())


PREDICTIONS: dict[str, Prediction] = {"eps": Eps(), "v": Velocity(), "edm": Edm(), "flow": Flow()}
"""Prediction types by the names that recipes and families use, with their usual sigma_data."""


def prediction_named(name: str) -> Prediction:
    """The prediction type of that name. InputError lists the names where there is none."""
    if name not in PREDICTIONS:
        raise InputError(
            f"the prediction type '{name}' is unknown", expected=" or ".join(PREDICTIONS), found=name
        )
    return PREDICTIONS[name]
