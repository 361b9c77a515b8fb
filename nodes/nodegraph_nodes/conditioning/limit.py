"""`conditioning.set_*`: where, when and how strongly a prompt counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from nodegraph import Conditioning, Mask, node
from nodegraph.errors import InputError
from nodegraph.values import Area

Pixels = Annotated[int, Field(ge=64, le=16384, description="pixels")]
Offset = Annotated[int, Field(ge=0, le=16384, description="pixels from the left or top")]
Part = Annotated[float, Field(ge=0, le=1, description="of the picture's side")]
Fraction = Annotated[float, Field(ge=0, le=1, description="of the way from noise (0) to picture (1)")]
Strength = Annotated[float, Field(ge=0, le=10, description="weight beside other prompts")]


@node("conditioning.set_area", category="Conditioning", title="Set area", lane="cpu")
def set_area(
    conditioning: Conditioning,
    width: Pixels = 64,
    height: Pixels = 64,
    x: Offset = 0,
    y: Offset = 0,
    strength: Strength = 1.0,
) -> Conditioning:
    """Let a prompt count in a rectangle only, which the model then sees alone.

    It fades in over 64 pixels from edges inside the picture. Combine it with a prompt for the whole.
    """
    return _each(conditioning, area=Area(width, height, x, y), strength=strength)


@node("conditioning.set_area_fraction", category="Conditioning", title="Set area in fractions", lane="cpu")
def set_area_fraction(
    conditioning: Conditioning,
    width: Part = 1.0,
    height: Part = 1.0,
    x: Part = 0.0,
    y: Part = 0.0,
    strength: Strength = 1.0,
) -> Conditioning:
    """As `conditioning.set_area`, with the rectangle in fractions of the picture."""
    return _each(conditioning, area=Area(width, height, x, y, "fraction"), strength=strength)


@node("conditioning.set_mask", category="Conditioning", title="Set mask", lane="cpu")
def set_mask(
    conditioning: Conditioning,
    mask: Mask,
    strength: Strength = 1.0,
    area: Literal["whole", "mask bounds"] = "whole",
) -> Conditioning:
    """Let a prompt count by a mask: its values times strength are weights.

    With area "mask bounds" the model sees the rectangle around the mask only.
    """
    changes: dict[str, Any] = {"mask": mask, "mask_strength": strength}
    if area == "mask bounds":
        changes["area"] = _bounds(mask)
    return _each(conditioning, **changes)


@node("conditioning.set_time_range", category="Conditioning", title="Set time range", lane="cpu")
def set_time_range(conditioning: Conditioning, start: Fraction = 0.0, end: Fraction = 1.0) -> Conditioning:
    """Let a prompt count in a part of the run only."""
    return _each(conditioning, start=start, end=end)


def _each(conditioning: Conditioning, **changes: Any) -> Conditioning:
    return Conditioning(tuple(replace(entry, **changes) for entry in conditioning.entries))


def _bounds(mask: Mask) -> Area:
    """The rectangle around everything that is not 0, in fractions."""
    height, width = mask.values.shape[-2:]
    places = (mask.values > 0).any(0).nonzero()
    if not len(places):
        raise InputError("the mask is empty", input="mask", expected="some of it above 0")
    (top, left), (bottom, right) = places.amin(0).tolist(), (places.amax(0) + 1).tolist()
    return Area((right - left) / width, (bottom - top) / height, left / width, top / height, "fraction")
