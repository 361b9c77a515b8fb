"""The numbers of SDXL and its refiner, in the order of the published pipelines."""

from __future__ import annotations

import pytest
import torch

from nodegraph.values import Conditioning, ConditioningEntry
from nodegraph_nodes.nodes import conditioning_set_aesthetic, conditioning_set_sizes

PROMPT = Conditioning((ConditioningEntry(torch.zeros(1, 77, 8), strength=0.5),) * 2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, (1024, 1024, 0, 0, 1024, 1024)),
        ({"width": 640, "height": 480}, (480, 640, 0, 0, 480, 640)),
        (
            {"width": 4096, "height": 2048, "crop_left": 16, "crop_top": 8,
             "target_width": 1152, "target_height": 896},
            (2048, 4096, 8, 16, 896, 1152),
        ),
    ],
)  # fmt: skip
def test_sizes_are_height_first(given: dict[str, int], told: tuple[int, ...]) -> None:
    made = conditioning_set_sizes(PROMPT, **given)
    assert [entry.sizes for entry in made.entries] == [tuple(map(float, told))] * 2
    assert all(entry.strength == 0.5 for entry in made.entries)


def test_the_aesthetic_score_stands_where_the_target_would() -> None:
    made = conditioning_set_aesthetic(PROMPT, 2.5, width=640, height=480)
    assert made.entries[0].sizes == (480.0, 640.0, 0.0, 0.0, 2.5)
