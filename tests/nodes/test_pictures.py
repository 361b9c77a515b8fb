"""Pictures in files: the workflow travels inside and comes out again, whatever the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from nodegraph import Engine, Image
from nodegraph.errors import InputError, WorkflowError
from nodegraph.graph.embedding import read_record
from nodegraph.runtime import RunRecord
from nodegraph_nodes.image.adjust import invert, resize
from nodegraph_nodes.image.files import split
from nodegraph_nodes.mask.make import from_image, invert_mask, rectangle

RECORD = RunRecord({"nodegraph": 1, "nodes": {"é": {"type": "x"}}}, {"prompt": "a ♥"}, {"time": "now"})


def gradient(width: int = 16, height: int = 8, channels: int = 3) -> Image:
    values = torch.arange(height * width * channels, dtype=torch.float32)
    return Image((values / values.max()).reshape(1, height, width, channels))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_record_survives_every_format(engine: Engine, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    assert engine.export(gradient(), path, RECORD) == [path]
    record = read_record(path)
    assert record == {"document": RECORD.document, "inputs": RECORD.inputs, "run": RECORD.run}


@pytest.mark.parametrize("channels", [3, 4])
def test_png_keeps_8_bits_exactly(engine: Engine, tmp_path: Path, channels: int) -> None:
    image = gradient(channels=channels)
    engine.export(image, tmp_path / "x.png", RECORD)
    read = np.asarray(PIL.Image.open(tmp_path / "x.png"))
    assert np.array_equal(read, (image.pixels[0].numpy() * 255).round().astype(np.uint8))


def test_batch_is_numbered(engine: Engine, tmp_path: Path) -> None:
    batch = Image(torch.rand(3, 8, 8, 3))
    paths = engine.export(batch, tmp_path / "x.png", RECORD)
    assert [path.name for path in paths] == ["x_1.png", "x_2.png", "x_3.png"]
    assert [part.pixels.shape[0] for part in split(batch)] == [1, 1, 1]


def test_saved_picture_runs_again_to_the_same_bits(engine: Engine, tmp_path: Path) -> None:
    first = engine.run_sync("template:text-to-image", seed="random", steps=2)
    record = read_record(first.artifacts[0].path)
    assert record["inputs"]["seed"] == first.record.inputs["seed"]
    with Engine(tmp_path / "other", device="cpu", dtype="float32") as other:
        again = other.run_sync(record["document"])
        opened = other.run_sync(first.artifacts[0].path)
        named = other.run_sync(str(first.artifacts[0].path))
    assert torch.equal(first.outputs["image"].pixels, again.outputs["image"].pixels)
    assert opened.outputs["image"] is named.outputs["image"] is again.outputs["image"]


def test_record_names_files_by_content(engine: Engine) -> None:
    result = engine.run_sync("template:text-to-image", steps=1)
    digest = result.record.run["files"]["tiny.safetensors"]
    assert len(digest) == 64
    assert result.record.run["profile"].startswith("cpu float32")


def test_picture_without_a_record_is_refused(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    with pytest.raises(WorkflowError, match="holds no workflow"):
        read_record(tmp_path / "plain.png")


def test_transparent_part_becomes_the_mask(engine: Engine, tmp_path: Path) -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:, :2, 3] = 255
    PIL.Image.fromarray(rgba).save(tmp_path / "holes.png")
    document = {
        "nodegraph": 1,
        "nodes": {"load": {"type": "image.load", "inputs": {"file": str(tmp_path / "holes.png")}}},
        "outputs": {"image": {"from": "load.image"}, "mask": {"from": "load.mask"}},
    }
    outputs = engine.run_sync(document).outputs
    assert outputs["image"].pixels.shape == (1, 4, 4, 3)
    assert outputs["mask"].values[0].mean(0).tolist() == [0, 0, 1, 1]


def test_editing_a_picture_changes_the_key(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    document = {
        "nodegraph": 1,
        "nodes": {"load": {"type": "image.load", "inputs": {"file": str(path)}}},
        "outputs": {"image": {"from": "load.image"}},
    }
    PIL.Image.new("RGB", (4, 4), "red").save(path)
    assert engine.run_sync(document).outcomes("ran") == ["load"]
    assert engine.run_sync(document).outcomes("ran") == []
    PIL.Image.new("RGB", (4, 4), "blue").save(path)
    again = engine.run_sync(document)
    assert again.outcomes("ran") == ["load"]
    assert again.outputs["image"].pixels[0, 0, 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic"])
def test_resize(method: str) -> None:
    image = gradient(16, 8)
    made = resize(image, 4, 0, method)  # type: ignore[arg-type] # the parameter is a Literal
    assert made.size == (4, 2)
    assert float(made.pixels.min()) >= 0
    assert float(made.pixels.mean()) == pytest.approx(float(image.pixels.mean()), abs=0.1)


def test_resize_crops_around_the_centre() -> None:
    pixels = torch.zeros(1, 8, 24, 3)
    pixels[:, :, 8:16] = 1
    assert resize(Image(pixels), 4, 4, "area", "center").pixels.min() == 1


def test_resize_needs_a_side() -> None:
    with pytest.raises(InputError, match="both sides are 0"):
        resize(gradient(), 0, 0)


def test_invert_keeps_alpha() -> None:
    image = gradient(channels=4)
    made = invert(image).pixels
    assert torch.equal(made[..., :3], 1 - image.pixels[..., :3])
    assert torch.equal(made[..., 3], image.pixels[..., 3])


def test_rectangle_mask() -> None:
    values = rectangle(8, 4, left=2, top=1, right=5, bottom=3).values
    assert values.shape == (1, 4, 8)
    assert values.sum() == 6
    assert values[0, 1:3, 2:5].min() == 1
    assert invert_mask(rectangle(8, 4, right=8, bottom=4)).values.max() == 0


def test_empty_rectangle_is_refused() -> None:
    with pytest.raises(InputError, match="the rectangle is empty"):
        rectangle(8, 8, left=5, right=5)


def test_mask_from_a_channel() -> None:
    image = gradient(channels=3)
    assert torch.equal(from_image(image, "green").values, image.pixels[..., 1])
    assert from_image(image, "alpha").values.min() == 1
