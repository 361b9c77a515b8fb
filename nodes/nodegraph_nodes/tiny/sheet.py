"""Contact sheets: many pictures on one, to look at with one's own eyes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


def contact_sheet(
    pictures: Sequence[npt.NDArray[np.uint8]], columns: int, gap: int = 2
) -> npt.NDArray[np.uint8]:
    """Pictures of one size (uint8 [H,W,3]) in rows of ``columns``, ``gap`` pixels of gray between them."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 90, np.uint8)
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def save(picture: npt.NDArray[np.uint8], path: Path) -> None:
    """Write a picture as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
