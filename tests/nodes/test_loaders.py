"""Loaders of single parts, and what may be said where a file is silent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import nodegraph_nodes
from nodegraph import Engine, Image
from nodegraph.errors import RunFailedError

PACK = Path(nodegraph_nodes.__file__).parent
TINY = PACK / "models" / "checkpoints" / "tiny.safetensors"
TEMPLATE = PACK / "workflows" / "text-to-image.json"


def split(folder: Path) -> tuple[Path, Path]:
    """The embedded model's denoiser and VAE in files of their own, without prefix."""
    tensors = load_file(TINY)
    paths = folder / "unet.safetensors", folder / "vae.safetensors"
    for path, prefix in zip(paths, ("model.diffusion_model.", "first_stage_model."), strict=True):
        part = {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
        save_file(part, path)
    return paths


def document(unet: Path, vae: Path, **loader: Any) -> dict[str, Any]:
    """The template with the parts of two files in place of the checkpoint's."""
    made: dict[str, Any] = json.loads(TEMPLATE.read_text())
    made["nodes"]["unet"] = {"type": "load.denoiser", "inputs": {"file": str(unet), **loader}}
    made["nodes"]["vae"] = {"type": "load.vae", "inputs": {"file": str(vae)}}
    for id_, node in made["nodes"].items():
        for name, value in node["inputs"].items():
            if isinstance(value, dict) and name in ("model", "vae"):
                node["inputs"][name] = {"from": {"model": "unet", "vae": "vae"}[name]}
        assert id_
    return made


def picture(engine: Engine, source: Any) -> torch.Tensor:
    image = engine.run_sync(source, steps=2, seed=3, width=64, height=64).outputs["image"]
    assert isinstance(image, Image)
    return image.pixels


def test_parts_in_files_of_their_own_make_the_same_picture(engine: Engine, tmp_path: Path) -> None:
    """The marker of velocity stays behind in the checkpoint, so it is said on the loader."""
    unet, vae = split(tmp_path)
    whole = picture(engine, "template:text-to-image")
    assert torch.equal(picture(engine, document(unet, vae, prediction="v")), whole)
    assert not torch.equal(picture(engine, document(unet, vae)), whole)


def test_a_file_without_the_part_is_refused(engine: Engine, tmp_path: Path) -> None:
    unet, vae = split(tmp_path)
    with pytest.raises(RunFailedError, match="has no denoiser"):
        picture(engine, document(vae, vae))
    with pytest.raises(RunFailedError, match="has no autoencoder"):
        picture(engine, document(unet, unet))


def test_a_variant_that_the_family_lacks_is_refused_with_those_it_has(engine: Engine, tmp_path: Path) -> None:
    unet, vae = split(tmp_path)
    with pytest.raises(RunFailedError, match="auto, inpaint, edit"):
        picture(engine, document(unet, vae, variant="turbo"))
