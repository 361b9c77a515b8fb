"""Latents equal those that ComfyUI 0.3.64 computes from the same full-size file, prompts and seeds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture
from safetensors.torch import load_file

from nodegraph import Engine, Latent
from nodegraph.modelfiles.families import TOKENIZER_KEYS
from nodegraph.modelfiles.safetensors_header import read_header
from tests.diffusion.reference.random_sd15 import CHECKPOINT, LORA, write

HERE = Path(__file__).parent / "reference"
TOLERANCE = 1e-3

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    named = os.environ.get("NODEGRAPH_RANDOM_SD15")
    folder = Path(named) if named else tmp_path_factory.mktemp("weights")
    if not (folder / CHECKPOINT).is_file() or not (folder / LORA).is_file():
        write(folder)
    picture = tmp_path_factory.mktemp("pictures") / "picture.png"
    Picture.new("RGB", (64, 64), (48, 96, 192)).save(picture)
    return {"checkpoint": folder / CHECKPOINT, "lora": folder / LORA, "picture": picture}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("data"), device="cpu", dtype="float32") as engine:
        yield engine


def test_the_file_carries_no_tokenizer(files: dict[str, Path]) -> None:
    assert not set(TOKENIZER_KEYS) & set(read_header(files["checkpoint"]).metadata)


@pytest.mark.parametrize("case", sorted(path.stem for path in HERE.glob("*.json")))
def test_latents_equal_the_recorded_ones(
    case: str, files: dict[str, Path], engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    expected = load_file(HERE / "latents.safetensors")[case]
    document = HERE / f"{case}.json"
    wanted = {"lora": ("lora",), "image-to-image": ("picture",)}.get(case, ())
    result = engine.run_sync(document, **{name: str(files[name]) for name in ("checkpoint", *wanted)})
    latent = result.outputs["latent"]
    assert isinstance(latent, Latent)
    error = float((latent.samples - expected).norm() / expected.norm())
    record_property("relative_error", error)
    print(f"{case}: relative error {error:.2e}")
    assert error <= TOLERANCE
