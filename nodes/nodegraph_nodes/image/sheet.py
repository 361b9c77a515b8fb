"""Contact sheets: many pictures as one, each with its label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import torch

from nodegraph import Image
from nodegraph_nodes.image.files import split

Font = PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont

_GAP = 8
_TEXT = 13
_MOST_LINES = 4
_PAPER, _INK = (250, 250, 250), (40, 40, 40)


def contact_sheet(images: Sequence[Image], labels: Sequence[str], columns: int) -> Image:
    """Pictures in rows of `columns`, the first of each batch, with labels below; [1,H,W,3]."""
    pictures = [_picture(split(image)[0]) for image in images]
    width = max(picture.width for picture in pictures)
    height = max(picture.height for picture in pictures)
    font = PIL.ImageFont.load_default(_TEXT - 2)
    texts = [_lines(label, width, font) for label in labels]
    below = max(map(len, texts)) * _TEXT + _GAP
    rows = -(-len(pictures) // columns)
    cell = (width + _GAP, height + below + _GAP)
    sheet = PIL.Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), _PAPER)
    draw = PIL.ImageDraw.Draw(sheet)
    for index, (picture, lines) in enumerate(zip(pictures, texts, strict=True)):
        left, top = _GAP + index % columns * cell[0], _GAP + index // columns * cell[1]
        sheet.paste(picture, (left, top))
        for number, line in enumerate(lines):
            draw.text((left, top + height + _GAP // 2 + number * _TEXT), line, fill=_INK, font=font)
    pixels = torch.from_numpy(np.asarray(sheet, dtype=np.float32) / 255.0)
    return Image(pixels[None])


def _picture(image: Image) -> PIL.Image.Image:
    pixels = (image.pixels[0].clamp(0, 1) * 255).round().byte().cpu().numpy()
    return PIL.Image.fromarray(pixels).convert("RGB")


def _lines(text: str, width: int, font: Font) -> list[str]:
    """The text in lines no wider than a picture; what is beyond the last is cut with an ellipsis."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1] + " …"]
    return lines
