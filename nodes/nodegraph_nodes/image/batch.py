"""`image.batch`: a list of pictures as one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodegraph import Image, node
from nodegraph.errors import InputError

if TYPE_CHECKING:
    import torch


@node("image.batch", category="Image", title="Batch images")
def batch(images: list[Image]) -> Image:
    """Put pictures of one size into one batch."""
    import torch

    if not images:
        raise InputError("there are no pictures", input="images", expected="at least one")
    sizes = sorted({image.size for image in images})
    if len(sizes) > 1:
        raise InputError(
            "the pictures differ in size", input="images", expected="one size",
            found=" and ".join(f"{width}×{height}" for width, height in sizes),
            remedy="Resize them first.",
        )  # fmt: skip
    channels = max(image.pixels.shape[-1] for image in images)
    return Image(torch.cat([_with_channels(image.pixels, channels) for image in images]))


def _with_channels(pixels: torch.Tensor, channels: int) -> torch.Tensor:
    """Pixels [B,H,W,C] with an opaque alpha channel where others have one."""
    import torch

    if pixels.shape[-1] == channels:
        return pixels
    return torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=-1)
