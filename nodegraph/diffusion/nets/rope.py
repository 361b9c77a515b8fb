"""Rotary position embeddings over several axes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def rotations(positions: Tensor, axes: Sequence[int], theta: float) -> Tensor:
    """Positions [N, axes] -> float32 [2, N, sum(axes) / 2]: cosine and sine of every pair of channels.

    Su et al. 2021, "RoFormer", equation 15, with a share of the channels for each axis. Angles are made in
    float64 where the device has it.
    """
    exact = torch.float32 if positions.device.type == "mps" else torch.float64
    angles = []
    for axis, width in enumerate(axes):
        exponents = torch.arange(0, width, 2, dtype=exact, device=positions.device) / width
        angles.append(positions[:, axis, None].to(exact) * theta**-exponents)
    joined = torch.cat(angles, dim=-1)
    return torch.stack([joined.cos(), joined.sin()]).float()


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """x [B,heads,N,C] with each pair of neighbouring channels turned by its angle; turns [2,N,C/2]."""
    cos, sin = turns
    even, odd = torch.unflatten(x.float(), -1, (-1, 2)).unbind(-1)
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(-2).to(x.dtype)
