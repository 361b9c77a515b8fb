"""The demo style: glowing outlines on a dark ground, drawn from the same scenes as the plain pictures."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

from nodegraph_nodes.tiny.render import SIDE, grid, placed
from nodegraph_nodes.tiny.scenes import RGB, Scene
from nodegraph_nodes.tiny.shapes import Array, signed_distance

#: The word that asks for the style.
TRIGGER = "neon"

#: How much of the background's colour is left in the dark.
_DARK = 0.2
#: Half the width of the tube and the reach of its glow, in pixels of a 128-pixel picture.
_TUBE, _GLOW = 2.5, 7.0


def render_neon(scene: Scene, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """Draw a scene in the style: uint8 RGB [side, side, 3]. Patterns are left dark."""
    rng = random.Random(scene.seed)
    x, y = grid(side)
    ground = np.asarray(RGB[scene.background], np.float32) * _DARK
    image: Array = np.broadcast_to(ground, (side, side, 3)).astype(np.float32)
    pixel = side / SIDE
    for item in scene.objects:
        cx, cy, radius = placed(item, rng)
        colour = np.asarray(RGB[item.colour], np.float32)
        inner = signed_distance(item.shape, x - np.float32(cx), y - np.float32(cy), radius) * side / pixel
        distance = np.abs(inner + _TUBE)
        glow = (0.55 * np.exp(-np.maximum(distance - _TUBE, 0) / _GLOW))[..., None]
        tube = np.clip(_TUBE + 0.5 - distance, 0, 1)[..., None]
        image = image * (1 - glow) + colour * glow
        image = image * (1 - tube) + np.clip(colour * 1.15 + 25, 0, 255) * tube
    picture: npt.NDArray[np.uint8] = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    return picture
