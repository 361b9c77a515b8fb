"""Contact sheets of edits: image to image at five strengths, and inpainting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from nodegraph.values import Latent, Mask
from nodegraph_nodes.tiny import sheet
from nodegraph_nodes.tiny.paint import Painter, Picture
from nodegraph_nodes.tiny.render import SIDE, render
from nodegraph_nodes.tiny.scenes import Scene, SceneObject
from nodegraph_nodes.tiny.stage_vae import to_tensor

STRENGTHS = (0.3, 0.5, 0.7, 0.85, 0.95)

#: A picture, and the text it is changed toward.
IMAGE_TO_IMAGE: tuple[tuple[Scene, str], ...] = (
    (
        Scene("blue", None, "plain", (SceneObject("circle", "red", "large", "center"),), 1),
        "a large yellow star on a blue background",
    ),
    (
        Scene("white", None, "plain", (SceneObject("square", "green", "medium", "left"),), 2),
        "a red square on the left on a white background",
    ),
    (
        Scene("yellow", None, "plain", (SceneObject("star", "purple", "medium", "top"),), 3),
        "a black star at the top on a cyan background",
    ),
    (
        Scene("pink", None, "plain", (SceneObject("heart", "black", "large", "center"),), 4),
        "a large black heart on a green background",
    ),
)

#: A picture, the part to repaint (left, top, right, bottom as shares of the side), and the text of the whole.
INPAINTING: tuple[tuple[Scene, tuple[float, float, float, float], str], ...] = (
    (IMAGE_TO_IMAGE[0][0], (0.0, 0.0, 1.0, 1.0), "a large green heart on a blue background"),
    (
        IMAGE_TO_IMAGE[1][0],
        (0.5, 0.0, 1.0, 1.0),
        "a green square on the left and a red circle on the right on a white background",
    ),
    (
        IMAGE_TO_IMAGE[2][0],
        (0.0, 0.5, 1.0, 1.0),
        "a purple star at the top and a blue heart at the bottom on a yellow background",
    ),
    (IMAGE_TO_IMAGE[3][0], (0.15, 0.15, 0.85, 0.85), "a large white ring on a pink background"),
)


@torch.no_grad()
def _latent(painter: Painter, picture: Picture) -> Latent:
    return Latent(painter.model.vae.encode(to_tensor(picture[None])).mean)


def _mask(box: tuple[float, float, float, float]) -> Mask:
    left, top, right, bottom = (round(edge * SIDE) for edge in box)
    values = torch.zeros(1, SIDE, SIDE)
    values[0, top:bottom, left:right] = 1
    return Mask(values)


def draw_edits(painter: Painter, folder: Path) -> None:
    """Write ``image-to-image.png`` (a row per picture) and ``inpainting.png`` (picture, hole, result)."""
    rows: list[Picture] = []
    for scene, text in IMAGE_TO_IMAGE:
        picture = render(scene)
        latent = _latent(painter, picture)
        rows.append(picture)
        rows += [painter.paint(text, 7, latent, strength) for strength in STRENGTHS]
    sheet.save(sheet.contact_sheet(rows, 1 + len(STRENGTHS)), folder / "image-to-image.png")
    rows = []
    for scene, box, text in INPAINTING:
        picture, mask = render(scene), _mask(box)
        latent = _latent(painter, picture)
        hole: Picture = np.where(mask.values[0].numpy()[..., None] > 0, 128, picture).astype(np.uint8)
        rows += [picture, hole, painter.paint(text, 7, Latent(latent.samples, noise_mask=mask))]
    sheet.save(sheet.contact_sheet(rows, 3), folder / "inpainting.png")
