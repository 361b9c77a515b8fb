"""A schedule as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image as Pictures
from PIL import ImageDraw

from nodegraph import Image

_PAPER, _INK, _GRID, _LINE = (255, 255, 255), (60, 60, 60), (225, 225, 225), (200, 60, 40)
_MARGIN = 36


def draw_levels(levels: Sequence[float], width: int, height: int) -> Image:
    """Levels against their number, with a dot for each; both axes start at 0."""
    picture = Pictures.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(picture)
    left, right, top, bottom = _MARGIN, width - _MARGIN // 2, _MARGIN // 2, height - _MARGIN
    highest, last = max([*levels, 1e-9]), max(len(levels) - 1, 1)
    for part in range(5):
        y = bottom - (bottom - top) * part / 4
        draw.line([(left, y), (right, y)], fill=_GRID)
        draw.text((2, y - 6), f"{highest * part / 4:.3g}", fill=_INK)
    draw.line([(left, top), (left, bottom), (right, bottom)], fill=_INK)
    for number in (0, last):
        draw.text((left + (right - left) * number / last - 4, bottom + 6), str(number), fill=_INK)
    points = [
        (left + (right - left) * number / last, bottom - (bottom - top) * level / highest)
        for number, level in enumerate(levels)
    ]
    draw.line(points, fill=_LINE, width=2)
    for x, y in points:
        draw.ellipse([(x - 3, y - 3), (x + 3, y + 3)], fill=_LINE)
    return Image(torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)[None])
