"""Where, when and how strongly one entry of a prompt counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from nodegraph.diffusion.inpaint import latent_mask
from nodegraph.errors import InputError
from nodegraph.runtime import Noising
from nodegraph.values import Area, Conditioning, ConditioningEntry, Latent, Mask

_FEATHER = 8
"""Latent cells over which an area without a mask fades in at edges that lie inside the picture."""


class Box(NamedTuple):
    """A rectangle of a latent, in cells."""

    y: int
    x: int
    height: int
    width: int

    def cut(self, x: Tensor) -> Tensor:
        """The part of [...,h,w] inside the box: a view."""
        return x[..., self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """An entry made ready for latents of one size.

    weight: a number, or [1 or B,1,h,w] of the box; high and low: the noise levels between which it counts,
    both included.
    """

    entry: ConditioningEntry
    box: Box
    whole: bool
    weight: Tensor | float
    high: float
    low: float

    def active(self, sigma: float) -> bool:
        """Whether the entry counts at this noise level."""
        return self.low <= sigma <= self.high


def parts_of(prompt: Conditioning, name: str, like: Tensor, down: int, noising: Noising) -> Sequence[Part]:
    """The entries of a prompt for latents like [B,C,h,w], of `down` pixels a cell.

    InputError: no entry, or an area outside the picture.
    """
    if not prompt.entries:
        raise InputError(f"the {name} prompt is empty", input=name, expected="at least one encoded text")
    return [_part(entry, name, like, down, noising) for entry in prompt.entries]


def _part(entry: ConditioningEntry, name: str, like: Tensor, down: int, noising: Noising) -> Part:
    height, width = like.shape[-2:]
    whole = Box(0, 0, height, width)
    box = whole if entry.area is None else _box(entry.area, height, width, down, name)
    weight: Tensor | float = entry.strength
    if entry.mask is not None:
        weight = box.cut(latent_mask(entry.mask, like)) * (entry.mask_strength * entry.strength)
    elif box != whole:
        weight = _feathered(box, height, width).to(like.device) * entry.strength
    if box != whole and entry.beside is not None:
        entry = replace(entry, beside=_cut_latent(entry.beside, box, height, width))
    return Part(entry, box, box == whole, weight, noising.sigma_at(entry.start), noising.sigma_at(entry.end))


def _cut_latent(latent: Latent, box: Box, height: int, width: int) -> Latent:
    """The part of a latent picture, and of its mask, that belongs to a box of latents [..,height,width]."""
    samples = box.cut(latent.samples)
    if latent.noise_mask is None:
        return latent.with_samples(samples)
    values = latent.noise_mask.values
    down, right = values.shape[-2] / height, values.shape[-1] / width
    top, bottom = round(box.y * down), round((box.y + box.height) * down)
    start, end = round(box.x * right), round((box.x + box.width) * right)
    return replace(latent, samples=samples, noise_mask=Mask(values[:, top:bottom, start:end]))


def _box(area: Area, height: int, width: int, down: int, name: str) -> Box:
    """The area in cells, at least one, cut to the latent."""
    if area.unit == "fraction":
        tall, wide = max(1, round(area.height * height)), max(1, round(area.width * width))
        y, x = round(area.y * height), round(area.x * width)
    else:
        tall, wide = max(1, int(area.height) // down), max(1, int(area.width) // down)
        y, x = int(area.y) // down, int(area.x) // down
    box = Box(y, x, min(tall, height - y), min(wide, width - x))
    if box.height < 1 or box.width < 1:
        raise InputError(
            f"an area of the {name} prompt lies outside the picture",
            input=name,
            expected=f"an area inside {width * down} x {height * down} pixels",
            found=f"{wide * down} x {tall * down} pixels at ({x * down}, {y * down})",
        )
    return box


def _feathered(box: Box, height: int, width: int) -> Tensor:
    """Weights [1,1,h,w] of a box: 1/8, 2/8 … 1 from each edge that is not an edge of the latent."""
    rows = _ramp(box.height, box.y > 0, box.y + box.height < height)
    columns = _ramp(box.width, box.x > 0, box.x + box.width < width)
    return (rows[:, None] * columns[None, :])[None, None]


def _ramp(length: int, first: bool, last: bool) -> Tensor:
    rise = torch.clamp((torch.arange(length) + 1) / _FEATHER, max=1.0)
    ones = torch.ones(length)
    return (rise if first else ones) * (rise.flip(0) if last else ones)
