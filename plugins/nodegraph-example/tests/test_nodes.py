"""How an author tests nodes: as plain functions, and once in a workflow."""

from __future__ import annotations

from pathlib import Path

import torch

from nodegraph import Engine, Image
from nodegraph_example import brighten, mirror


def test_mirror_flips_the_columns() -> None:
    image = Image(torch.rand(1, 2, 3, 3))
    assert torch.equal(mirror(image).pixels[:, :, 0], image.pixels[:, :, -1])
    assert torch.equal(mirror(mirror(image)).pixels, image.pixels)


def test_brighten_adds_light_and_stays_in_range() -> None:
    image = Image(torch.full((1, 2, 2, 3), 0.5))
    assert torch.allclose(brighten(image, 0.25).pixels, torch.tensor(0.75))
    assert torch.equal(brighten(image, 5.0).pixels, torch.ones(1, 2, 2, 3))
    assert torch.equal(brighten(image, 0.0).pixels, image.pixels)


def test_both_run_in_a_workflow_beside_built_in_nodes(tmp_path: Path) -> None:
    from PIL import Image as Picture

    Picture.new("RGB", (4, 2), "black").save(tmp_path / "in.png")
    workflow = {
        "nodegraph": 1,
        "nodes": {
            "load": {"type": "image.load", "inputs": {"file": str(tmp_path / "in.png")}},
            "mirror": {"type": "example.mirror", "inputs": {"image": {"from": "load.image"}}},
            "light": {"type": "example.brighten", "inputs": {"image": {"from": "mirror"}, "amount": 0.5}},
            "save": {"type": "image.save", "inputs": {"image": {"from": "light"}}},
        },
        "outputs": {"image": {"from": "light"}},
    }
    with Engine(tmp_path / "data") as engine:
        result = engine.run_sync(workflow)
    assert result.outputs["image"].pixels.shape == (1, 2, 4, 3)
    with Picture.open(result.artifacts[0].path) as saved:
        assert saved.getpixel((0, 0)) == (128, 128, 128)
