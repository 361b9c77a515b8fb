"""Values as pictures: small ones, to look at."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from nodegraph import Image, Latent, Mask, Sigmas
from nodegraph_nodes.sampling.plot import draw_levels

LARGEST = 1024
"""Pixels along the longer side: more is for a node that shows the picture itself."""
SMALLEST = 256
"""Latents are enlarged to about this, in whole steps, so that their cells are seen."""
MOST = 16
"""Pictures of a batch that are shown, in rows."""
_GAP = 4
_PLOT = (520, 320)

Draw = Callable[[Tensor], Image]


def picture_of(value: object, draw: Draw | None = None) -> Image | None:
    """A picture [1,H,W,3] of a value, None where it has none. draw: the colours of a latent's model."""
    match value:
        case Image(pixels=pixels) if pixels.numel():
            return Image(_fitted(_rows(_opaque(pixels[:MOST].float().cpu()))))
        case Mask(values=values) if values.numel():
            return Image(_fitted(_rows(values[:MOST].float().cpu()[..., None].expand(-1, -1, -1, 3))))
        case Latent(samples=samples) if samples.numel():
            cells = draw(samples[:MOST]).pixels if draw is not None else components(samples[:MOST])
            return Image(_fitted(_rows(_enlarged(cells.cpu()))))
        case Sigmas(values=values) if len(values):
            return draw_levels([float(level) for level in values], *_PLOT)
        case [Image() as first, *_]:
            return picture_of(first)
    return None


def components(samples: Tensor) -> Tensor:
    """A latent [B,C,h,w] as colours [B,h,w,3] where no model tells them: what its cells differ in most.

    The three principal components of the cells, each spread over its range; what a latent of fewer channels
    lacks stays grey.
    """
    batch, channels, height, width = samples.shape
    cells = samples.permute(0, 2, 3, 1).reshape(-1, channels).double().cpu().nan_to_num()
    cells = cells - cells.mean(0)
    _, axes = torch.linalg.eigh(cells.T @ cells)  # the largest come last
    found = min(3, channels)
    shown = cells @ axes[:, -found:].flip(1)
    spread = shown.abs().amax(0).clamp(min=1e-9)
    colours = torch.full((cells.shape[0], 3), 0.5, dtype=torch.float32)
    colours[:, :found] = (shown / spread / 2 + 0.5).float()
    return colours.reshape(batch, height, width, 3)


def _opaque(pixels: Tensor) -> Tensor:
    """RGB: what is transparent is shown on grey."""
    if pixels.shape[-1] == 3:
        return pixels
    alpha = pixels[..., 3:]
    return pixels[..., :3] * alpha + 0.5 * (1 - alpha)


def _enlarged(cells: Tensor) -> Tensor:
    factor = max(1, SMALLEST // max(cells.shape[1:3]))
    return cells.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def _rows(pictures: Tensor) -> Tensor:
    """Pictures [B,H,W,3] as one [1,…,…,3], in rows about as long as there are rows."""
    count, height, width, _ = pictures.shape
    if count == 1:
        return pictures
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = torch.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 0.5)
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + _GAP), index % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet[None]


def _fitted(picture: Tensor) -> Tensor:
    """The picture, made smaller where it is too large."""
    longer = max(picture.shape[1:3])
    if longer <= LARGEST:
        return picture.clamp(0, 1)
    size = [max(1, round(side * LARGEST / longer)) for side in picture.shape[1:3]]
    smaller = functional.interpolate(picture.permute(0, 3, 1, 2), size=size, mode="area")
    return smaller.permute(0, 2, 3, 1).clamp(0, 1)
