"""Layers that the UNet and the autoencoder share."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def group_norm(channels: int, eps: float) -> nn.GroupNorm:
    """Group normalisation with min(32, channels / 4) groups.

    That is the 32 groups of the original for every layer of SD 1.x (all have 128 channels or more). In
    narrower networks 32 groups would leave one or two channels each, and normalising those alone erases
    flat colour; four channels per group do not.
    """
    return nn.GroupNorm(min(32, max(1, channels // 4)), channels, eps=eps)


def conv3x3(channels_in: int, channels_out: int, *, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (at stride 1)."""
    return nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1)


def conv1x1(channels_in: int, channels_out: int) -> nn.Conv2d:
    """A linear map of the channels at every position."""
    return nn.Conv2d(channels_in, channels_out, 1)


def zeroed(module: M) -> M:
    """The module with all parameters zero, so that a residual branch starts training as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def timestep_embedding(t: Tensor, width: int, *, max_period: float = 10000.0) -> Tensor:
    """Sinusoids of a timestep: t [B] -> float32 [B, width], cosines then sines.

    Frequencies fall geometrically from 1 to 1 / max_period (Vaswani et al. 2017, section 3.5; the order
    and the endpoints are those of latent diffusion).
    """
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float32, device=t.device) / half
    angles = t.float()[:, None] * torch.exp(-math.log(max_period) * exponents)[None]
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
