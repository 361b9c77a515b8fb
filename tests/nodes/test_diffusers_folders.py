"""Pipeline folders in diffusers' layout, whole and sharded, and models in shards: the same as one file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

from nodegraph import Engine
from nodegraph.errors import ModelFileError, NodegraphError
from nodegraph.modelfiles.describing import describe
from nodegraph.modelfiles.index import FileIndex
from nodegraph.modelfiles.manifests import members, parts_of, read_model_header
from tests.diffusion.small_models import byte_vocabulary

INDEX = "pipe/model_index.json"
VAE_FILE = "vae/diffusion_pytorch_model.safetensors"
THEIR_UNET: Any = UNet2DConditionModel  # diffusers publishes no types
THEIR_VAE: Any = AutoencoderKL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small SD 1.x pipeline as diffusers saves one, the UNet in shards."""
    torch.manual_seed(1)
    root = tmp_path / "models" / "diffusers" / "pipe"
    unet = THEIR_UNET(
        block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=32, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    vae = THEIR_VAE(
        block_out_channels=(16, 16, 32, 32), layers_per_block=1, norm_num_groups=4, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=520, hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4
        )
    )
    unet.save_pretrained(root / "unet", max_shard_size="1MB")
    vae.save_pretrained(root / "vae")
    text.save_pretrained(root / "text_encoder")
    vocabulary, merges = byte_vocabulary()
    (root / "tokenizer").mkdir()
    (root / "tokenizer" / "vocab.json").write_text(json.dumps(vocabulary))
    lines = "\n".join(" ".join(pair) for pair in merges)
    (root / "tokenizer" / "merges.txt").write_text(f"#version: 0.2\n{lines}\n")
    parts = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL", "text_encoder": "CLIPTextModel"}
    index: dict[str, Any] = {"_class_name": "StableDiffusionPipeline", "safety_checker": [None, None]}
    index.update({part: ["diffusers", name] for part, name in parts.items()})
    (root / "model_index.json").write_text(json.dumps(index))
    return root


def workflow(loaders: dict[str, Any], model: str, text: str, vae: str) -> dict[str, Any]:
    nodes = {
        **loaders,
        "words": {"type": "text.encode", "inputs": {"encoder": {"from": text}, "text": "red"}},
        "empty": {"type": "latent.empty", "inputs": {"width": 64, "height": 64}},
        "sample": {
            "type": "sample",
            "inputs": {
                "model": {"from": model}, "positive": {"from": "words"}, "negative": {"from": "words"},
                "latent": {"from": "empty"}, "seed": 3, "steps": 2, "cfg": 2.0,
            },
        },
        "decode": {"type": "vae.decode", "inputs": {"vae": {"from": vae}, "latent": {"from": "sample"}}},
    }  # fmt: skip
    return {"nodegraph": 1, "nodes": nodes, "outputs": {"image": {"from": "decode"}}}


def folder_workflow(**inputs: Any) -> dict[str, Any]:
    loaders = {"load": {"type": "load.diffusers", "inputs": {"folder": INDEX, **inputs}}}
    return workflow(loaders, "load.model", "load.text_encoder", "load.vae")


def test_a_folder_is_what_its_parts_are_in_files_of_their_own(folder: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    assert len(list((folder / "unet").glob("*-of-*.safetensors"))) > 1
    whole: dict[str, torch.Tensor] = {}
    for shard in (folder / "unet").glob("*.safetensors"):
        whole |= load_file(shard)
    for kind in ("diffusion_models", "vae", "text_encoders"):
        (models / kind).mkdir()
    save_file(whole, models / "diffusion_models" / "unet.safetensors")
    save_file(
        load_file(folder / "vae" / "diffusion_pytorch_model.safetensors"), models / "vae" / "vae.safetensors"
    )
    text = load_file(folder / "text_encoder" / "model.safetensors")
    save_file(text, models / "text_encoders" / "text.safetensors")
    (tmp_path / "models" / "tokenizers").mkdir()
    (tmp_path / "models" / "tokenizers" / "clip").symlink_to(folder / "tokenizer")
    loaders = {
        "model": {"type": "load.denoiser", "inputs": {"file": "unet.safetensors"}},
        "vae": {"type": "load.vae", "inputs": {"file": "vae.safetensors"}},
        "text": {"type": "load.text_encoders", "inputs": {"family": "sd1", "file": "text.safetensors"}},
    }
    with Engine(tmp_path, device="cpu") as engine:
        split = engine.run_sync(workflow(loaders, "model", "text", "vae")).outputs["image"]
        found = engine.run_sync(folder_workflow()).outputs["image"]
    assert torch.equal(found.pixels, split.pixels)


def test_a_changed_shard_is_another_content(folder: Path, tmp_path: Path) -> None:
    index = FileIndex({"diffusers": [tmp_path / "models" / "diffusers"]})
    first = index.ensure("diffusers", INDEX)
    assert index.known("diffusers", INDEX) == first
    shard = a_shard(folder)
    tensors = load_file(shard)
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, shard)
    assert index.known("diffusers", INDEX) is None
    assert index.ensure("diffusers", INDEX) != first


def test_it_is_listed_and_described_as_one_model(folder: Path, tmp_path: Path) -> None:
    index = FileIndex({"diffusers": [tmp_path / "models" / "diffusers"]})
    assert list(index.names("diffusers")) == [INDEX]
    (entry,) = index.entries("diffusers")
    assert entry.size == sum(file.stat().st_size for file in members(folder / "model_index.json"))
    described = describe(folder / "model_index.json")
    assert described.family == "sd1"
    assert [part.partition(" ")[0] for part in described.parts] == ["unet", "vae", "text_encoder"]


def test_the_scheduler_settings_tell_what_tensors_do_not(folder: Path, tmp_path: Path) -> None:
    (folder / "scheduler").mkdir()
    settings = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(settings))
    document = {**folder_workflow(), "outputs": {"model": {"from": "load.model"}}}
    with Engine(tmp_path, device="cpu") as engine:
        model = engine.run_sync(document).outputs["model"]
        assert (model.prediction, model.schedule.zero_terminal_snr) == ("v", True)
        document["nodes"]["load"]["inputs"] |= {"prediction": "eps", "zero_terminal_snr": False}
        given = engine.run_sync(document).outputs["model"]
    assert given == replace(
        model, prediction="eps", schedule=replace(model.schedule, zero_terminal_snr=False)
    )


Harm = Callable[[Path], object]
HARM: dict[str, tuple[Harm, str]] = {
    "a shard is missing": (lambda root: a_shard(root).unlink(), "not there"),
    "no weights": (lambda root: (root / VAE_FILE).unlink(), "has no weights"),
    "a pickle": (
        lambda root: (root / VAE_FILE).rename(root / "vae" / "model.bin"),
        "vae/model.bin",
    ),
    "no denoiser": (lambda root: (root / "model_index.json").write_text("{}"), "names no denoiser"),
    "no JSON": (lambda root: (root / "model_index.json").write_text("{"), "is no JSON"),
    "a list": (lambda root: (root / "model_index.json").write_text("[]"), "no JSON object"),
    "a damaged map": (lambda root: shard_index(root).write_text("{}"), "names no tensors"),
    "a way out": (
        lambda root: shard_index(root).write_text(json.dumps({"weight_map": {"a": "../../x.safetensors"}})),
        "no safetensors file beside it",
    ),
    "a promise that is not kept": (
        lambda root: promise(root, "conv_in.nothing"),
        "lacks the tensor 'conv_in.nothing'",
    ),
}  # fmt: skip


def a_shard(root: Path) -> Path:
    return next((root / "unet").glob("*-of-*.safetensors"))


def shard_index(root: Path) -> Path:
    return next((root / "unet").glob("*.index.json"))


def promise(root: Path, name: str) -> None:
    path = shard_index(root)
    data = json.loads(path.read_text())
    data["weight_map"][name] = next(iter(data["weight_map"].values()))
    path.write_text(json.dumps(data))


@pytest.mark.parametrize("name", HARM)
def test_an_incomplete_folder_says_what_it_lacks(folder: Path, tmp_path: Path, name: str) -> None:
    harm, words = HARM[name]
    harm(folder)
    with Engine(tmp_path, device="cpu") as engine, pytest.raises(NodegraphError) as caught:
        engine.run_sync(folder_workflow())
    text = caught.value.describe() if not hasattr(caught.value, "failures") else str(caught.value)
    assert words in text


def test_a_sharded_denoiser_serves_as_a_file(folder: Path, tmp_path: Path) -> None:
    header = read_model_header(shard_index(folder))
    shards = {info.shard for info in header.tensors.values()}
    assert shards == set(members(shard_index(folder))[1:])
    place = tmp_path / "models" / "diffusion_models"
    place.mkdir()
    for file in (folder / "unet").glob("*.safetensors*"):
        (place / file.name).write_bytes(file.read_bytes())
    name = shard_index(folder).name
    index = FileIndex({"diffusion_models": [place]})
    assert list(index.names("diffusion_models")) == [name]
    document = {
        "nodegraph": 1,
        "nodes": {"load": {"type": "load.denoiser", "inputs": {"file": name}}},
        "outputs": {"model": {"from": "load"}},
    }
    with Engine(tmp_path, device="cpu") as engine:
        assert engine.run_sync(document).outputs["model"].family == "sd1"


def test_the_weights_without_a_variant_come_first(folder: Path) -> None:
    vae = folder / "vae" / "diffusion_pytorch_model.safetensors"
    half = vae.with_name("diffusion_pytorch_model.fp16.safetensors")
    half.write_bytes(vae.read_bytes())
    assert parts_of(folder / "model_index.json")["vae"] == vae
    vae.unlink()
    assert parts_of(folder / "model_index.json")["vae"] == half
    half.unlink()
    with pytest.raises(ModelFileError, match="has no weights"):
        parts_of(folder / "model_index.json")


def run_pipe(tmp_path: Path, **inputs: Any) -> None:
    loaders = {"pipe": {"type": "load.diffusers", "inputs": {"folder": INDEX, **inputs}}}
    with Engine(tmp_path, device="cpu", disk_cache_bytes=0) as engine:
        engine.run_sync(
            workflow(loaders, "pipe.model", "pipe.text_encoder", "pipe.vae"), targets=["empty", "words"]
        )


@pytest.mark.parametrize(
    ("part", "field", "told"),
    [
        ("unet", "cross_attention_dim", 768), ("unet", "in_channels", 9), ("unet", "layers_per_block", 2),
        ("unet", "block_out_channels", [320, 640]), ("vae", "latent_channels", 16),
        ("vae", "scaling_factor", 0.13025), ("text_encoder", "hidden_size", 768),
        ("text_encoder", "num_hidden_layers", 12),
    ],
)  # fmt: skip
def test_settings_of_other_weights_are_refused(
    folder: Path, tmp_path: Path, part: str, field: str, told: object
) -> None:
    run_pipe(tmp_path)
    path = folder / part / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: told}))
    with pytest.raises(NodegraphError) as caught:
        run_pipe(tmp_path)
    problem = getattr(caught.value, "failures")[0].problem  # noqa: B009 - of a failed run
    assert problem.code == "model_config_mismatch"
    assert field in problem.message
    assert str(told) in (problem.expected or "")


def test_an_unheard_of_prediction_type_has_to_be_said(folder: Path, tmp_path: Path) -> None:
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler" / "scheduler_config.json").write_text('{"prediction_type": "sample"}')
    with pytest.raises(NodegraphError) as caught:
        run_pipe(tmp_path)
    problem = getattr(caught.value, "failures")[0].problem  # noqa: B009 - of a failed run
    assert (problem.code, problem.input, problem.found) == ("unknown_prediction", "prediction", "'sample'")
    run_pipe(tmp_path, prediction="eps")


@pytest.mark.parametrize("named", [[], {"a": 1}, 3, ""])
def test_a_prediction_type_of_another_form_is_told_of(folder: Path, tmp_path: Path, named: object) -> None:
    settings = folder / "scheduler" / "scheduler_config.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"prediction_type": named}))
    with pytest.raises(NodegraphError, match=r"scheduler_config\.json names a prediction type"):
        run_pipe(tmp_path)


def test_what_the_settings_tell_is_no_assumption(folder: Path, tmp_path: Path) -> None:
    nodes = {"pipe": {"type": "load.diffusers", "inputs": {"folder": INDEX}}}
    with Engine(tmp_path, device="cpu", disk_cache_bytes=0) as engine:
        (note,) = engine.bind({"nodegraph": 1, "nodes": nodes}).notes
        assert "'prediction'" in note
        settings = folder / "scheduler" / "scheduler_config.json"
        settings.parent.mkdir()
        settings.write_text('{"prediction_type": "v_prediction"}')
        assert engine.bind({"nodegraph": 1, "nodes": nodes}).notes == ()


def test_a_converted_text_encoder_is_found(folder: Path) -> None:
    """Its pickle is called pytorch_model.bin."""
    text = folder / "text_encoder"
    made = (text / "model.safetensors").rename(text / "pytorch_model.safetensors")
    assert parts_of(folder / "model_index.json")["text_encoder"] == made
