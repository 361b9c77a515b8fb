"""Small pictures of unfinished latents: a linear map from latent channels to RGB, fitted to the autoencoder.

Nothing is looked up: the factors are the least-squares answer to "which linear map of a latent cell comes
closest to the mean colour of the pixels that this autoencoder encoded into it". They belong to an
autoencoder, not to a latent format: two of one format (SD 1.x and a small model of its family) see colours
differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from nodegraph.values import Image, LatentFormat

_BLOCK = 2  # cells along the side of a patch of one colour: its inner cells see no other colour


@dataclass(frozen=True, eq=False, slots=True)
class PreviewMap:
    """factors [C,3] and bias [3]: RGB in 0 to 1 = latent · factors + bias, for unscaled latents."""

    factors: Tensor
    bias: Tensor

    def __call__(self, samples: Tensor) -> Image:
        """Latents [B,C,h,w] -> pictures [B,h,w,3], one pixel per latent cell, on the CPU.

        Cost: 6 · C operations for a cell, where a denoiser spends millions.
        """
        cells = samples.permute(0, 2, 3, 1).float().cpu()
        return Image((cells @ self.factors + self.bias).clamp(0, 1))


class Encodes(Protocol):
    """What the fit needs of a `nodegraph.runtime.LiveVae`."""

    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels [B,H,W,3] in 0 to 1 -> latents [B,C,H/f,W/f]."""
        ...


@torch.no_grad()
def fit_preview(vae: Encodes, space: LatentFormat, *, pictures: int = 2, side: int = 8) -> PreviewMap:
    """Fit the map by encoding pictures of random colours in squares.

    What a denoiser makes are latents of pictures, so these are too. The generator is fixed: the map is a
    function of the autoencoder alone. Cost: one encoding of `pictures` pictures of `side` x `side` cells,
    about one per cent of a run of 20 steps of the smallest model.
    """
    generator = torch.Generator().manual_seed(0)
    patches = torch.rand(pictures, 3, side // _BLOCK, side // _BLOCK, generator=generator)
    pixels = functional.interpolate(patches, scale_factor=float(_BLOCK * space.down), mode="nearest")
    cells = vae.encode(pixels.permute(0, 2, 3, 1)).cpu().permute(0, 2, 3, 1).reshape(-1, space.channels)
    colours = functional.avg_pool2d(pixels, space.down).permute(0, 2, 3, 1).reshape(-1, 3)
    design = torch.cat([cells, torch.ones(len(cells), 1)], dim=1)
    # By singular values: the cells of an autoencoder need not use all its channels.
    solution: Tensor = torch.linalg.lstsq(design, colours, driver="gelsd").solution
    return PreviewMap(solution[:-1], solution[-1])
