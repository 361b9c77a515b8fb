"""FreeU: balance what the decoder of a UNet takes from below and from the side.

Si et al. 2024, "FreeU: Free Lunch in Diffusion U-Net". No weight changes; hooks before the blocks of the
output path see [backbone, skip] and scale both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nodegraph.errors import InputError

Factors = dict[int, tuple[float, float]]
"""Width of the backbone's features -> the factors of backbone and skip."""


def low_frequencies_scaled(skip: Tensor, factor: float) -> Tensor:
    """Scale the lowest frequencies of [B,C,h,w] (the Fourier mask of the skip, threshold 1).

    They are the constant and the first negative frequency in both directions: four coefficients.
    """
    spectrum = torch.fft.fft2(skip.float())
    low = torch.ones(skip.shape[-2:], device=skip.device)
    rows, columns = torch.tensor([0, -1]), torch.tensor([0, -1])
    low[rows[:, None], columns[None, :]] = factor
    filtered: Tensor = torch.fft.ifft2(spectrum * low).real
    return filtered.to(skip.dtype)


def backbone_scaled(features: Tensor, factor: float) -> Tensor:
    """Multiply the first half of the channels (a constant backbone factor: version 1)."""
    half = features.shape[1] // 2
    return torch.cat([features[:, :half] * factor, features[:, half:]], dim=1)


def backbone_scaled_by_structure(features: Tensor, factor: float) -> Tensor:
    """Multiply the first half of the channels by structure (structure-related scaling: version 2).

    The factor of a position is 1 + (factor - 1) * m, m the mean over channels brought to 0 to 1 per image.
    """
    mean = features.float().mean(1, keepdim=True)
    low, high = mean.amin((2, 3), keepdim=True), mean.amax((2, 3), keepdim=True)
    structure = (mean - low) / (high - low).clamp(min=1e-8)
    half = features.shape[1] // 2
    weight = ((factor - 1) * structure + 1).to(features.dtype)
    return torch.cat([features[:, :half] * weight, features[:, half:]], dim=1)


def _before_block(width: int, backbone: float, skip: float, version: int) -> Callable[..., tuple[Any, ...]]:
    """What happens before one block of the output path, whose input has `width` channels from below."""
    scaled = backbone_scaled if version == 1 else backbone_scaled_by_structure

    def hook(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        joined, *rest = inputs
        features = scaled(joined[:, :width], backbone)
        return torch.cat([features, low_frequencies_scaled(joined[:, width:], skip)], dim=1), *rest

    return hook


@contextmanager
def freeu(network: nn.Module, b1: float, b2: float, s1: float, s2: float, version: int) -> Iterator[None]:
    """FreeU on a UNet until the `with` ends.

    b1 and s1 (backbone, skip) are for features as wide as the widest level, b2 and s2 for those half as
    wide: 1280 and 640 in SD 1.x, as released. InputError: the network is no UNet.
    """
    config: Any = getattr(network, "config", None)
    blocks = getattr(network, "output_blocks", None)
    if config is None or not isinstance(blocks, nn.ModuleList) or not hasattr(config, "skip_channels"):
        raise InputError("FreeU is made for UNets, and this model has none", input="model")
    widest = max(config.channels)
    factors: Factors = {widest // 2: (b2, s2), widest: (b1, s1)}
    with ExitStack() as stack:
        for block, width in zip(blocks, backbone_widths(config), strict=True):
            if width in factors:
                hook = _before_block(width, *factors[width], version)
                stack.callback(block.register_forward_pre_hook(hook).remove)
        yield


def backbone_widths(config: Any) -> list[int]:
    """How many of the channels that each output block is given come from below."""
    levels = list(reversed(config.channels))
    widths = [levels[0]]
    for width in levels:
        widths += [width] * (config.res_blocks + 1)
    return widths[:-1]
