"""Schedulers: the noise levels that a sampler visits. Each satisfies `nodegraph.runtime.Scheduler`.

All take a model's table (ascending, [T]) and a number of steps, and return descending float32 levels that
end in 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from nodegraph.diffusion.schedules import sigma_of_timestep
from nodegraph.runtime import Scheduler


def normal(table: Tensor, steps: int) -> Tensor:
    """Timesteps spaced evenly from the last of the table to the first, both included."""
    return _end_in_zero(sigma_of_timestep(table, torch.linspace(len(table) - 1, 0, steps)))


def sgm_uniform(table: Tensor, steps: int) -> Tensor:
    """Timesteps spaced evenly from the last, as `normal` with one more step, without the smallest level."""
    return _end_in_zero(sigma_of_timestep(table, torch.linspace(len(table) - 1, 0, steps + 1)[:-1]))


def simple(table: Tensor, steps: int) -> Tensor:
    """Every (T / steps)-th entry of the table, from the top."""
    stride = len(table) / steps
    picks = [len(table) - 1 - int(step * stride) for step in range(steps)]
    return _end_in_zero(table[torch.tensor(picks)])


def ddim_uniform(table: Tensor, steps: int) -> Tensor:
    """Every (T // steps)-th entry from the second on, the timesteps of DDIM (Song et al. 2021).

    Where the stride does not divide the table evenly there is one more level than steps + 1, and more
    than T steps cannot be had: this follows the definition that other tools share.
    """
    picks = torch.arange(1, len(table), max(len(table) // steps, 1))
    return _end_in_zero(table[picks].flip(0))


def karras(table: Tensor, steps: int, rho: float = 7.0) -> Tensor:
    """Even spacing of sigma^(1/rho) (Karras et al. 2022, equation 5), over the range of the table."""
    high, low = float(table[-1]) ** (1 / rho), float(table[0]) ** (1 / rho)
    return _end_in_zero((high + torch.linspace(0, 1, steps) * (low - high)) ** rho)


def exponential(table: Tensor, steps: int) -> Tensor:
    """Even spacing of log sigma over the range of the table."""
    return _end_in_zero(torch.linspace(math.log(table[-1]), math.log(table[0]), steps).exp())


def beta(table: Tensor, steps: int, a: float = 0.6, b: float = 0.6) -> Tensor:
    """Timesteps at quantiles of the Beta(a, b) distribution: denser at both ends (Lee et al. 2024).

    Timesteps that round to the same entry are visited once, so very many steps give fewer levels.
    """
    # Loaded where it is used: only this scheduler needs scipy, which publishes no types.
    from scipy.special import betaincinv

    quantiles = 1.0 - torch.arange(steps, dtype=torch.float64) / steps
    indices = torch.from_numpy(betaincinv(a, b, quantiles.numpy())) * (len(table) - 1)
    picks = torch.unique_consecutive(indices.round().long())
    return _end_in_zero(table[picks])


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
}
"""The schedulers of this library by name."""


def levels_for(scheduler: Scheduler, table: Tensor, steps: int, denoise: float = 1.0) -> Tensor:
    """The levels of a run of `steps` steps that starts part of the way: the last of a longer schedule.

    denoise 1 runs the whole schedule; 0.5 runs the last `steps` of int(steps / 0.5) steps; 0 gives no
    levels at all. The cut is the one of other tools, so that equal settings mean equal noise.
    """
    if denoise <= 0:
        return torch.zeros(0)
    if denoise > 0.9999:
        return scheduler(table, steps)
    return scheduler(table, int(steps / denoise))[-(steps + 1) :]
