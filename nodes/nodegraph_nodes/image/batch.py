"""Several pictures as one batch: `image.batch` of a list, `image.join` of single ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nodegraph import Image, node
from nodegraph.errors import InputError

if TYPE_CHECKING:
    import torch


@node("image.batch", category="Image", title="Batch images")
def batch(images: list[Image]) -> Image:
    """Put pictures of one size into one batch."""
    if not images:
        raise InputError("there are no pictures", input="images", expected="at least one")
    sizes = sorted({image.size for image in images})
    if len(sizes) > 1:
        raise InputError(
            "the pictures differ in size", input="images", expected="one size",
            found=" and ".join(map(_words, sizes)), remedy="Resize them first.",
        )  # fmt: skip
    return _together(images)


@node("image.join", category="Image", title="Join images")
def join(*images: Image) -> Image:
    """Put pictures of one size, and batches of them, into one batch, in order."""
    if not images:
        raise InputError("there are no pictures", input="images", expected="at least one")
    for position, image in enumerate(images):
        if image.size != images[0].size:
            raise InputError(
                "the picture differs in size from the first one", input=f"images[{position}]",
                expected=_words(images[0].size), found=_words(image.size), remedy="Resize it first.",
            )  # fmt: skip
    return _together(images)


def _words(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def _together(images: Sequence[Image]) -> Image:
    import torch

    channels = max(image.pixels.shape[-1] for image in images)
    return Image(torch.cat([_with_channels(image.pixels, channels) for image in images]))


def _with_channels(pixels: torch.Tensor, channels: int) -> torch.Tensor:
    """Pixels [B,H,W,C] with an opaque alpha channel where others have one."""
    import torch

    if pixels.shape[-1] == channels:
        return pixels
    return torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=-1)
