"""The training schedule of a model as a table of noise levels, and the maps between level and timestep.

A noise level sigma means x = x0 + sigma * noise (the "variance exploding" form of Karras et al. 2022);
it relates to the cumulative alpha of DDPM by sigma = sqrt((1 - alpha) / alpha).
"""

from __future__ import annotations

import torch
from torch import Tensor

TRAINING_STEPS = 1000


def scaled_linear_sigmas(start: float = 0.00085, end: float = 0.012, count: int = TRAINING_STEPS) -> Tensor:
    """The table of SD 1.x: float32 [count], ascending, 0.0292 to 14.61.

    Betas are squares of an even spacing between the roots of `start` and `end` (Rombach et al. 2022,
    the released configs' `linear` schedule); sums run in float64.
    """
    betas = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2
    alphas = torch.cumprod(1.0 - betas, dim=0)
    return ((1.0 - alphas) / alphas).sqrt().float()


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
