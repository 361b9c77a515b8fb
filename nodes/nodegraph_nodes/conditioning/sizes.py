"""`conditioning.set_sizes` and `set_aesthetic`: the numbers that SDXL and its refiner are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodegraph import Conditioning, node

Side = Annotated[int, Field(ge=1, le=16384, description="pixels")]
Offset = Annotated[int, Field(ge=0, le=16384, description="pixels")]
TargetSide = Annotated[int | None, Field(ge=1, le=16384, description="pixels; nothing: as the original")]
Score = Annotated[
    float, Field(ge=0, le=10, description="6 is usual for the positive prompt, 2.5 for the negative")
]


@node("conditioning.set_sizes", category="Conditioning", title="Set sizes (SDXL)", lane="cpu")
def set_sizes(
    conditioning: Conditioning,
    width: Side = 1024,
    height: Side = 1024,
    crop_left: Offset = 0,
    crop_top: Offset = 0,
    target_width: TargetSide = None,
    target_height: TargetSide = None,
) -> Conditioning:
    """Tell SDXL of what size the picture was before it was cropped, where, and to what size.

    Without this node it is told the size of the picture that is made, uncropped. A larger original asks for
    finer detail; a crop asks for a picture that is cut at that side.
    """
    target = (target_height or height, target_width or width)
    return _told(conditioning, (height, width, crop_top, crop_left, *target))


@node("conditioning.set_aesthetic", category="Conditioning", title="Set aesthetic score", lane="cpu")
def set_aesthetic(
    conditioning: Conditioning, score: Score = 6.0, width: Side = 1024, height: Side = 1024
) -> Conditioning:
    """Tell the SDXL refiner how pleasing the picture is, beside its size."""
    return _told(conditioning, (height, width, 0, 0, score))


def _told(conditioning: Conditioning, numbers: tuple[float, ...]) -> Conditioning:
    sizes = tuple(float(number) for number in numbers)
    return Conditioning(tuple(replace(entry, sizes=sizes) for entry in conditioning.entries))
