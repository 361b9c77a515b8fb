"""Scoring a model file and drawing its contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from nodegraph_nodes.tiny import heldout, lora, sheet, weights
from nodegraph_nodes.tiny.edits import draw_edits
from nodegraph_nodes.tiny.heldout import Prompt
from nodegraph_nodes.tiny.neon import TRIGGER
from nodegraph_nodes.tiny.paint import Painter, Picture, Settings
from nodegraph_nodes.tiny.reading import read
from nodegraph_nodes.tiny.scenes import SIZES, Size
from nodegraph_nodes.tiny.scorer import Share, judge, judge_all, judge_all_pairs, report

#: Prompts of a sheet that show what the grammar offers beyond the held-out list: patterns, relations, sizes.
SHOWCASE = (
    "a red circle on a blue background",
    "a large yellow star on a purple background",
    "a big pink heart on a blue background",
    "a green ring on a black background",
    "a cyan cross on a red background",
    "an orange diamond on a cyan background",
    "a blue triangle on a yellow background",
    "a white square on a purple background",
    "a red heart left of a blue star on a white background",
    "a yellow circle above a green square on a black background",
    "a purple triangle on the left and an orange ring on the right on a white background",
    "a large red circle on a white and blue striped background",
    "a large black star on a yellow and cyan checkered background",
    "a big green heart on a yellow background with white dots",
    "a large white ring on a blue to black gradient background",
    "a small orange star in the top left corner, blue background",
)


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of a model on the held-out prompts."""

    single: dict[str, Share]
    pairs: dict[str, Share]
    shape_by_size: dict[Size, Share]
    edge_width: float
    fit: float
    seconds_per_picture: float
    pictures: tuple[Picture, ...]

    def text(self) -> str:
        """The lines that are printed and go into the card."""
        sizes = ", ".join(f"{size} {share}" for size, share in self.shape_by_size.items())
        return "\n".join(
            (
                report("single objects", self.single),
                f"shape by size: {sizes}",
                f"edge width: {self.edge_width:.2f} pixels, fit of the outline: {self.fit:.3f} (medians)",
                report("two objects", self.pairs),
                f"time: {self.seconds_per_picture:.2f} core-seconds per picture",
            )
        )


def score(painter: Painter, single: Sequence[Prompt], pairs: Sequence[Prompt]) -> Result:
    """Paint every prompt once with its own seed and judge the pictures."""
    torch.set_num_threads(1)
    pictures = list(painter.paint_all(single))
    scenes = [prompt.scene for prompt in single]
    by_size: dict[Size, Share] = {}
    for size in SIZES:
        right = [
            judge(picture, scene).shape
            for picture, scene in zip(pictures, scenes, strict=True)
            if scene.objects[0].size == size
        ]
        if right:
            by_size[size] = Share(sum(right), len(right))
    readings = [read(picture) for picture in pictures]
    pair_pictures = list(painter.paint_all(pairs))
    return Result(
        judge_all(pictures, scenes),
        judge_all_pairs(pair_pictures, [prompt.scene for prompt in pairs]),
        by_size,
        median(reading.edge_width for reading in readings),
        median(reading.fit for reading in readings),
        painter.seconds / (len(single) + len(pairs)),
        (*pictures, *pair_pictures),
    )


def score_file(path: Path, folder: Path, settings: Settings, count: int | None = None) -> Result:
    """Score a model file on the committed prompts (the first ``count`` of each list) and draw its sheets."""
    held_out = heldout.load()
    painter = Painter(weights.load_model(path), settings)
    result = score(painter, held_out.single[:count], held_out.pairs[:count])
    print(result.text(), flush=True)
    singles = min(64, len(held_out.single[:count]))
    sheet.save(sheet.contact_sheet(result.pictures[:singles], 8), folder / "single.png")
    rest = result.pictures[len(held_out.single[:count]) :]
    sheet.save(sheet.contact_sheet(rest[:64], 8), folder / "pairs.png")
    return result


def draw_sheets(path: Path, style: Path | None, folder: Path, count: int | None = None) -> None:
    """Draw the showcase, the edits, and the LoRA at strength 0, 0.5, 1 and 1.5, one below the other."""
    torch.set_num_threads(1)
    painter = Painter(weights.load_model(path))
    texts = SHOWCASE[:count]
    pictures = [painter.paint(text, seed) for seed, text in enumerate(texts)]
    sheet.save(sheet.contact_sheet(pictures, 8), folder / "showcase.png")
    draw_edits(painter, folder)
    if style is None or not style.exists():
        return
    lora.attach(painter.model.unet)
    layers = lora.attached(painter.model.unet)
    lora.load(layers, painter.model.unet, style)
    rows: list[Picture] = []
    for strength in (0.0, 0.5, 1.0, 1.5):
        lora.set_strength(layers, strength)
        rows += [painter.paint(f"{TRIGGER} {text}", seed) for seed, text in enumerate(texts[:8])]
    sheet.save(sheet.contact_sheet(rows, len(texts[:8])), folder / "lora.png")
