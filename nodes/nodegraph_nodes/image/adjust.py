"""`image.resize` and `image.invert`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nodegraph import Image, node
from nodegraph.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Side = Annotated[int, Field(ge=0, le=16384, description="pixels; 0 keeps the proportions")]
Method = Literal["nearest-exact", "bilinear", "area", "bicubic"]


@node("image.resize", category="Image", title="Resize image")
def resize(
    image: Image,
    width: Side = 512,
    height: Side = 512,
    method: Method = "bicubic",
    crop: Literal["disabled", "center"] = "disabled",
) -> Image:
    """Resize pictures; with crop "center" they are first cut to the new proportions."""
    width, height = _target(image.size, width, height)
    pixels = _crop_to(image.pixels, width / height) if crop == "center" else image.pixels
    return Image(_interpolate(pixels, width, height, method))


@node("image.invert", category="Image", title="Invert image")
def invert(image: Image) -> Image:
    """Make a negative: light becomes dark. Transparency stays."""
    pixels = image.pixels.clone()
    pixels[..., :3] = 1 - pixels[..., :3]
    return Image(pixels)


def _target(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    if not width and not height:
        raise InputError("both sides are 0", input="width", remedy="Give at least one side in pixels.")
    old_width, old_height = size
    return (
        width or max(1, round(old_width * height / old_height)),
        height or max(1, round(old_height * width / old_width)),
    )


def _crop_to(pixels: Tensor, ratio: float) -> Tensor:
    """The largest centred part with this ratio of width to height. pixels [B,H,W,C]."""
    height, width = pixels.shape[1], pixels.shape[2]
    new_width, new_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    left, top = (width - new_width) // 2, (height - new_height) // 2
    return pixels[:, top : top + new_height, left : left + new_width]


def _interpolate(pixels: Tensor, width: int, height: int, method: Method) -> Tensor:
    from torch.nn.functional import interpolate

    smooth = method in ("bilinear", "bicubic")
    resized = interpolate(
        pixels.movedim(-1, 1), size=(height, width), mode=method, antialias=smooth,
        align_corners=False if smooth else None,
    )  # fmt: skip
    return resized.movedim(1, -1).clamp(0, 1)
