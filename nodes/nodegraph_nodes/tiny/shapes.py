"""The shapes of the scene grammar as signed distance functions (negative inside), in the unit of their
arguments.

A distance function gives an anti-aliased edge for free: the coverage of a pixel is the distance to the edge,
in pixels, clipped to one pixel. Distances are exact near straight and round edges, which is all that
rendering needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nodegraph_nodes.tiny.scenes import Shape

Array = npt.NDArray[np.float32]


def _half_plane(x: Array, y: Array, normal_degrees: float, offset: float) -> Array:
    """Distance to a straight edge whose outward normal has the given angle (0 = right, 90 = down)."""
    angle = math.radians(normal_degrees)
    return x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle)) - np.float32(offset)


def _disc(x: Array, y: Array, radius: float) -> Array:
    return np.hypot(x, y) - np.float32(radius)


def _box(x: Array, y: Array, half_width: float, half_height: float) -> Array:
    distance: Array = np.maximum(np.abs(x) - np.float32(half_width), np.abs(y) - np.float32(half_height))
    return distance


def _circle(x: Array, y: Array, r: float) -> Array:
    return _disc(x, y, r)


def _square(x: Array, y: Array, r: float) -> Array:
    return _box(x, y, 0.87 * r, 0.87 * r)


def _triangle(x: Array, y: Array, r: float) -> Array:
    # Isosceles, point up, as wide as it is high: height 1.8 r from -1.0 r to 0.8 r.
    side = math.degrees(math.atan2(1.0, 2.0))
    slant = 1.0 * r * math.sin(math.radians(side))
    slopes = np.maximum(_half_plane(x, y, -side, slant), _half_plane(x, y, 180 + side, slant))
    distance: Array = np.maximum(slopes, y - np.float32(0.8 * r))
    return distance


def _star(x: Array, y: Array, r: float) -> Array:
    # Five points: fold the plane into one half of one point, then measure the distance to that point's edge.
    outer, inner, sector = 1.12 * r, 0.46 * r, math.pi / 5
    angle = np.arctan2(x, -y)
    angle = np.abs((angle + sector) % (2 * sector) - sector)
    distance = np.hypot(x, y)
    along, across = distance * np.cos(angle), distance * np.sin(angle)
    edge_x, edge_y = inner * math.cos(sector) - outer, inner * math.sin(sector)
    area = (along - outer) * np.float32(edge_y) - across * np.float32(edge_x)
    edge: Array = (area / np.float32(math.hypot(edge_x, edge_y))).astype(np.float32)
    return edge


def _heart(x: Array, y: Array, r: float) -> Array:
    # A square standing on its corner, with a disc on each of its upper edges.
    half = 0.62 * r
    down = y - np.float32(0.12 * r)
    diagonal = np.float32(math.sqrt(0.5))
    square = _box((x + down) * diagonal, (down - x) * diagonal, half, half)
    discs = _disc(np.abs(x) - diagonal * np.float32(half), down + diagonal * np.float32(half), half)
    return np.minimum(square, discs)


def _diamond(x: Array, y: Array, r: float) -> Array:
    # A rhombus a quarter higher than wide, so that it is no mere turned square.
    return (np.abs(x) * np.float32(1.3) + np.abs(y) - np.float32(1.15 * r)) / np.float32(math.hypot(1.3, 1.0))


def _ring(x: Array, y: Array, r: float) -> Array:
    return np.abs(np.hypot(x, y) - np.float32(0.74 * r)) - np.float32(0.26 * r)


def _cross(x: Array, y: Array, r: float) -> Array:
    arm = 0.33 * r
    return np.minimum(_box(x, y, r, arm), _box(x, y, arm, r))


_FUNCTIONS: dict[Shape, Callable[[Array, Array, float], Array]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
    "diamond": _diamond,
    "ring": _ring,
    "cross": _cross,
}


def signed_distance(shape: Shape, x: Array, y: Array, radius: float) -> Array:
    """Distance of points (y downward, the shape's centre at the origin) to the edge of a shape."""
    return _FUNCTIONS[shape](x, y, radius)
