"""Drawing scenes: numpy only, anti-aliased, a few milliseconds per 128x128 picture."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

from nodegraph_nodes.tiny.scenes import OFFSET, RADIUS, RGB, Colour, Pattern, Scene, SceneObject
from nodegraph_nodes.tiny.shapes import Array, signed_distance

#: Side of a training picture in pixels.
SIDE = 128

#: Standard deviation of the colour jitter, in 8-bit steps: a word is a region of colour, not one value.
COLOUR_JITTER = 4.0


def _jittered(colour: Colour, rng: random.Random) -> Array:
    values = [channel + rng.gauss(0.0, COLOUR_JITTER) for channel in RGB[colour]]
    return np.clip(np.asarray(values, np.float32), 0.0, 255.0)


def _bands(position: Array, period: float, side: int) -> Array:
    """Bands along one axis: 0 or 1 with an edge one pixel wide; ``period`` is in picture sides."""
    phase = np.abs((position / np.float32(period)) % 1.0 - 0.5) - 0.25
    band: Array = np.clip(phase * np.float32(side * period) + 0.5, 0.0, 1.0)
    return band


def _pattern_mask(pattern: Pattern, x: Array, y: Array, side: int) -> Array:
    """Share of the second colour at every pixel, 0 to 1."""
    if pattern == "gradient":
        return y
    if pattern == "stripes":
        return _bands(x, 0.25, side)
    if pattern == "checker":
        columns, rows = _bands(x + 0.125, 0.5, side), _bands(y + 0.125, 0.5, side)
        return columns * (1 - rows) + rows * (1 - columns)
    if pattern == "dots":
        radius = np.hypot((x * 5) % 1 - 0.5, (y * 5) % 1 - 0.5)
        dots: Array = np.clip((0.26 - radius) * np.float32(side / 5) + 0.5, 0.0, 1.0)
        return dots
    return np.zeros_like(x)


def placed(item: SceneObject, rng: random.Random) -> tuple[float, float, float]:
    """Jittered centre (x, y) and radius of an object, as shares of the side, kept inside the picture."""
    dx, dy = OFFSET[item.position]
    x, y = 0.5 + dx + rng.uniform(-0.02, 0.02), 0.5 + dy + rng.uniform(-0.02, 0.02)
    radius = RADIUS[item.size] * rng.uniform(0.93, 1.07)
    margin = radius * 1.13
    return min(max(x, margin), 1 - margin), min(max(y, margin), 1 - margin), radius


def grid(side: int) -> tuple[Array, Array]:
    """Pixel centres (x, y), each float32 [side, side], 0 to 1."""
    line = (np.arange(side, dtype=np.float32) + 0.5) / side
    y, x = np.meshgrid(line, line, indexing="ij")
    return x.astype(np.float32), y.astype(np.float32)


def render(scene: Scene, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """Draw a scene: uint8 RGB [side, side, 3]. The same scene always gives the same pixels."""
    rng = random.Random(scene.seed)
    x, y = grid(side)
    background = _jittered(scene.background, rng)
    image: Array = np.broadcast_to(background, (side, side, 3)).astype(np.float32)
    if scene.second is not None:
        share = _pattern_mask(scene.pattern, x, y, side)[..., None]
        image = image * (1 - share) + _jittered(scene.second, rng) * share
    for item in scene.objects:
        cx, cy, radius = placed(item, rng)
        colour = _jittered(item.colour, rng)
        distance = signed_distance(item.shape, x - np.float32(cx), y - np.float32(cy), radius) * side
        cover = np.clip(0.5 - distance, 0.0, 1.0)[..., None]
        # A slight shading from above makes the flat shapes look pleasant without changing their colour word.
        shade = 1 + 0.08 * np.clip(-(y - np.float32(cy)) / np.float32(radius), -1, 1)[..., None]
        image = image * (1 - cover) + np.clip(colour * shade, 0, 255) * cover
    picture: npt.NDArray[np.uint8] = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    return picture
