"""Small pictures of unfinished latents: a linear map from latent channels to RGB, fitted to the autoencoder.

Nothing is looked up: the factors are the least-squares answer to "which linear map of a latent cell comes
closest to the mean colour of the pixels that this autoencoder decodes it to".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nodegraph.runtime import LiveVae
from nodegraph.values import Image, LatentFormat


@dataclass(frozen=True, eq=False, slots=True)
class PreviewMap:
    """factors [C,3] and bias [3]: RGB in 0 to 1 = latent · factors + bias, for unscaled latents."""

    factors: Tensor
    bias: Tensor

    def __call__(self, samples: Tensor) -> Image:
        """Latents [B,C,h,w] -> pictures [B,h,w,3], one pixel per latent cell, on the CPU."""
        cells = samples.permute(0, 2, 3, 1).float().cpu()
        return Image((cells @ self.factors + self.bias).clamp(0, 1))


@torch.no_grad()
def fit_preview(vae: LiveVae, space: LatentFormat, *, pictures: int = 16, side: int = 8) -> PreviewMap:
    """Fit the map by decoding random latents of the variance that training latents have.

    The latents are smooth (patches of 4 x 4 cells with a little noise), as pictures are; the generator is
    fixed, so the map is a function of the autoencoder alone. Cost: one decode of `pictures` pictures of
    `side` x `side` cells.
    """
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(pictures, space.channels, side // 4, side // 4, generator=generator)
    detail = torch.randn(pictures, space.channels, side, side, generator=generator)
    unit = functional.interpolate(patches, scale_factor=4.0, mode="bilinear") + 0.3 * detail
    samples = unit / space.scale + space.shift
    pixels = vae.decode(samples).cpu().permute(0, 3, 1, 2)
    colours = functional.avg_pool2d(pixels, space.down).permute(0, 2, 3, 1).reshape(-1, 3)
    cells = samples.permute(0, 2, 3, 1).reshape(-1, space.channels)
    design = torch.cat([cells, torch.ones(len(cells), 1)], dim=1)
    solution: Tensor = torch.linalg.lstsq(design, colours).solution
    return PreviewMap(solution[:-1], solution[-1])
