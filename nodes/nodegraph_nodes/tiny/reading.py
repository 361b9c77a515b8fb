"""Reading a picture without a network: which background, colour, shape and place does it show?

The background is the median colour of the border; the subject is the largest connected area that differs from
it; the shape is the template that overlaps the subject's outline best. Written for flat shapes on plain
backgrounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from nodegraph_nodes.tiny.render import grid
from nodegraph_nodes.tiny.scenes import COLOURS, RGB, SHAPES, Colour, Shape
from nodegraph_nodes.tiny.shapes import Array, signed_distance

Mask = npt.NDArray[np.bool_]

#: A pixel belongs to the subject if its RGB distance to the background is above this share of the largest
#: distance ...
_SHARE = 0.45
#: ... and above this many 8-bit steps.
_LEAST_DISTANCE = 45.0
#: Fewer pixels than this are no subject.
_LEAST_PIXELS = 40
_TEMPLATE_SIDE = 32
#: Weight of a wrong width-to-height ratio against the overlap of the normalised outlines.
_ASPECT_WEIGHT = 0.6


@dataclass(frozen=True, slots=True)
class Reading:
    """What a picture shows: ``centre`` is the subject's offset from the middle, as shares of the sides.

    ``edge_width`` is the width of the subject's edge in pixels: the area of the pixels between 15 and 85 per
    cent of the contrast, divided by the outline's length. A true rendering has about one pixel.
    ``fit`` is how well the subject's outline fits its shape, at most 1; true renderings have about 0.97.
    """

    background: Colour
    colour: Colour | None
    shape: Shape | None
    centre: tuple[float, float]
    edge_width: float
    fit: float


def nearest_colour(rgb: Array, shades: tuple[float, ...] = (1.0,)) -> Colour:
    """The palette colour nearest to an RGB value (0 to 255), trying each in the given brightnesses."""

    def distance(colour: Colour) -> float:
        base = np.asarray(RGB[colour], np.float32)
        return min(float(np.square(np.clip(base * shade, 0, 255) - rgb).sum()) for shade in shades)

    return min(COLOURS, key=distance)


def largest_area(mask: Mask) -> Mask:
    """The largest 4-connected area of a mask."""
    height, width = mask.shape
    flat = np.zeros((height + 2, width + 2), bool)
    flat[1:-1, 1:-1] = mask
    stride = width + 2
    left = flat.ravel().tolist()
    best: list[int] = []
    for start in np.flatnonzero(flat).tolist():
        if not left[start]:
            continue
        left[start] = False
        area = [start]
        for pixel in area:  # grows while it is walked
            for neighbour in (pixel - 1, pixel + 1, pixel - stride, pixel + stride):
                if left[neighbour]:
                    left[neighbour] = False
                    area.append(neighbour)
        if len(area) > len(best):
            best = area
    result = np.zeros(flat.size, bool)
    result[best] = True
    return result.reshape(flat.shape)[1:-1, 1:-1]


def _normalised(mask: Mask) -> tuple[Mask, float]:
    """The mask's bounding box resampled to a square, and the box's width divided by its height."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    steps = (np.arange(_TEMPLATE_SIDE) + 0.5) / _TEMPLATE_SIDE
    y = (rows[0] + steps * height).astype(np.intp)
    x = (columns[0] + steps * width).astype(np.intp)
    return mask[np.ix_(y, x)], float(width / height)


@cache
def _templates() -> dict[Shape, tuple[Mask, float]]:
    x, y = grid(256)
    centred = x - np.float32(0.5), y - np.float32(0.5)
    return {shape: _normalised(signed_distance(shape, *centred, 0.35) < 0) for shape in SHAPES}


def nearest_shape(mask: Mask) -> tuple[Shape, float]:
    """The shape whose template fits the mask best, and how well: overlap over union, at most 1."""
    outline, aspect = _normalised(mask)

    def fit(shape: Shape) -> float:
        template, wanted = _templates()[shape]
        overlap = float((outline & template).sum() / (outline | template).sum())
        return overlap - _ASPECT_WEIGHT * abs(math.log(aspect / wanted))

    best = max(SHAPES, key=fit)
    return best, fit(best)


def border_colour(image: npt.NDArray[np.uint8], width: int = 4) -> Array:
    """Median RGB of the picture's border."""
    edges = [image[:width], image[-width:], image[:, :width], image[:, -width:]]
    pixels = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    colour: Array = np.median(pixels, axis=0).astype(np.float32)
    return colour


def _shrunk(mask: Mask) -> Mask:
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis)
    return inner


def read(image: npt.NDArray[np.uint8], background: Array | None = None) -> Reading:
    """Read a picture, uint8 RGB [H, W, 3]; ``background`` replaces the border's colour if a part is read."""
    if background is None:
        background = border_colour(image)
    pixels = image.astype(np.float32)
    distance = np.sqrt(np.square(pixels - background).sum(-1))
    contrast = float(np.percentile(distance, 99.7))
    subject = largest_area(distance > max(_LEAST_DISTANCE, _SHARE * contrast))
    ground = nearest_colour(background)
    if subject.sum() < _LEAST_PIXELS:
        return Reading(ground, None, None, (0.0, 0.0), math.inf, 0.0)
    inside = _shrunk(subject)
    core = inside if inside.sum() > _LEAST_PIXELS // 2 else subject
    colour = np.median(pixels[core], axis=0)
    rows, columns = np.flatnonzero(subject.any(1)), np.flatnonzero(subject.any(0))
    height, width = subject.shape
    centre = ((columns[0] + columns[-1] + 1) / 2 / width - 0.5, (rows[0] + rows[-1] + 1) / 2 / height - 0.5)
    between = ((distance > 0.15 * contrast) & (distance < 0.85 * contrast)).sum()
    outline = (subject & ~inside).sum()
    shape, fit = nearest_shape(subject)
    return Reading(
        ground,
        nearest_colour(colour, (0.95, 1.0, 1.05)),
        shape,
        (float(centre[0]), float(centre[1])),
        float(between / outline),
        fit,
    )
