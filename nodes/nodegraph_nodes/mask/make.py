"""Masks: white (1) is where the picture may change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Image, Mask, node
from nodegraph.errors import InputError

Side = Annotated[int, Field(ge=1, le=16384, description="pixels")]
Offset = Annotated[int, Field(ge=0, le=16384, description="pixels from the top left corner")]


@node("mask.rectangle", category="Mask", title="Rectangle mask")
def rectangle(
    width: Side, height: Side, left: Offset = 0, top: Offset = 0, right: Offset = 64, bottom: Offset = 64
) -> Mask:
    """Make a mask of this size that is white from (left, top) up to, not including, (right, bottom)."""
    import torch

    if right <= left or bottom <= top:
        raise InputError(
            "the rectangle is empty", input="right", expected="right beyond left, and bottom beyond top",
            found=f"left {left}, right {right}, top {top}, bottom {bottom}",
        )  # fmt: skip
    values = torch.zeros(1, height, width)
    values[:, top:bottom, left:right] = 1.0
    return Mask(values)


@node("mask.from_image", category="Mask", title="Mask from image")
def from_image(image: Image, channel: Literal["red", "green", "blue", "alpha"] = "red") -> Mask:
    """Take one channel of an image as a mask. A picture without alpha is opaque everywhere."""
    index = ("red", "green", "blue", "alpha").index(channel)
    if index >= image.pixels.shape[-1]:
        return Mask(image.pixels[..., 0] * 0 + 1)
    return Mask(image.pixels[..., index].clone())


@node("mask.invert", category="Mask", title="Invert mask")
def invert_mask(mask: Mask) -> Mask:
    """Swap what may change and what is kept."""
    return Mask(1 - mask.values)
