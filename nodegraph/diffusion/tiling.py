"""Run a network over a large picture in overlapping tiles, blended so that no seam is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nodegraph.errors import InputError


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin that cover `length` evenly, each overlapping the next by `overlap` or more."""
    if length <= tile:
        return [0]
    count = -(-(length - overlap) // (tile - overlap))
    return [round(index * (length - tile) / (count - 1)) for index in range(count)]


def check_tiles(tile: int, overlap: int) -> None:
    """InputError where tiles of that size cannot overlap so much."""
    if not 0 <= overlap < tile:
        raise InputError(
            "tiles cannot overlap so much",
            input="overlap",
            expected=f"0 to less than the tile's size, {tile}",
            found=str(overlap),
        )


def tiles(height: int, width: int, tile: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """The rows and columns of every tile."""
    for top in starts(height, tile, overlap):
        for left in starts(width, tile, overlap):
            yield slice(top, min(top + tile, height)), slice(left, min(left + tile, width))


def ramp(begin: int, end: int, length: int, overlap: int) -> Tensor:
    """Weights [end - begin] of a tile along one side: rising and falling over the overlap, 1 at the border.

    Where two tiles overlap, what one loses the other gains; dividing by the sum of all weights does the rest.
    """
    position = torch.arange(end - begin, dtype=torch.float32) + 0.5
    weight = torch.ones(end - begin)
    if begin > 0:
        weight = torch.minimum(weight, position / max(overlap, 1))
    if end < length:
        weight = torch.minimum(weight, (end - begin - position) / max(overlap, 1))
    return weight


def blend(
    run: Callable[[slice, slice], Tensor], height: int, width: int, tile: int, overlap: int, scale: float
) -> Tensor:
    """The results of `run` on the tiles of a height x width input, blended into one [B,C,H,W] on the CPU.

    scale: output pixels for one of input (8 for a decoder, 1/8 for an encoder). The blend is a mean with
    weights that sum to 1 everywhere, so a value that all tiles agree on stays as it is.
    """
    out: Tensor | None = None
    total = torch.zeros(round(height * scale), round(width * scale))
    for rows, columns in tiles(height, width, tile, overlap):
        part = run(rows, columns).float().cpu()
        top, left = round(rows.start * scale), round(columns.start * scale)
        bottom, right = top + part.shape[-2], left + part.shape[-1]
        width_of_ramp = round(overlap * scale)
        weight = (
            ramp(top, bottom, total.shape[0], width_of_ramp)[:, None]
            * ramp(left, right, total.shape[1], width_of_ramp)[None]
        )
        if out is None:
            out = torch.zeros(*part.shape[:2], *total.shape)
        out[..., top:bottom, left:right] += part * weight
        total[top:bottom, left:right] += weight
    if out is None:
        raise ValueError("there is nothing to run over")
    return out / total
