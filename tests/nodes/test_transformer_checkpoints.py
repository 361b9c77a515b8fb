"""Whole checkpoints of SD 3 and FLUX.1, small and random, through the nodes: from a prompt to a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, T5EncoderModel
from transformers import T5Config as TheirT5Config

from nodegraph import Engine, Image
from nodegraph.diffusion.nets.flux import Flux
from nodegraph.diffusion.nets.mmdit import MMDiT
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.execution.results import RunResult
from nodegraph.modelfiles.configs import VaeConfig
from nodegraph.modelfiles.transformer_configs import FluxConfig, MMDiTConfig
from tests.diffusion.small_models import randomise, tokenizer_metadata

FILE = "small.safetensors"
T5_WIDTH = 128
VAE = VaeConfig(latent_channels=16, base_channels=16, channels=(16, 16, 32, 32), res_blocks=1, quant=False)
SD3 = MMDiTConfig(
    depth=2, width=128, hidden=256, context_dim=T5_WIDTH, pooled_dim=32 + 48, positions=16, qk_norm=True
)
FLUX = FluxConfig(
    double_blocks=1, single_blocks=1, width=64, head_width=32, hidden=128, context_dim=T5_WIDTH, vector_dim=32
)


def clip(width: int, layers: int, projection: int, activation: str) -> CLIPTextModelWithProjection:
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=520,
            hidden_size=width,
            intermediate_size=64,
            num_hidden_layers=layers,
            num_attention_heads=4,
            projection_dim=projection,
            hidden_act=activation,
            bos_token_id=518,
            eos_token_id=519,
            pad_token_id=519,
        )
    )


def t5() -> T5EncoderModel:
    return T5EncoderModel(
        TheirT5Config(
            vocab_size=64,
            d_model=T5_WIDTH,
            d_kv=8,
            d_ff=96,
            num_layers=2,
            num_heads=4,
            feed_forward_proj="gated-gelu",
        )
    )


def parts(denoiser: nn.Module) -> dict[str, nn.Module]:
    """What a whole checkpoint holds, by prefix."""
    texts: dict[str, nn.Module] = {"clip_l": clip(32, 3, 32, "quick_gelu"), "t5xxl": t5()}
    if isinstance(denoiser, MMDiT):
        texts["clip_g"] = clip(64, 4, 48, "gelu")
    return {
        "model.diffusion_model.": denoiser,
        "first_stage_model.": AutoencoderKL(VAE),
        **{f"text_encoders.{name}.transformer.": encoder for name, encoder in texts.items()},
    }


def write(engine_data: Path, denoiser: nn.Module) -> None:
    """The checkpoint with its tokenizers in the data folder."""
    tensors: dict[str, Tensor] = {}
    for seed, (prefix, module) in enumerate(parts(denoiser).items()):
        randomise(module, seed)
        for name, tensor in module.state_dict().items():
            if name != "encoder.embed_tokens.weight":  # the same tensor as `shared.weight`
                tensors[prefix + name] = tensor.detach().clone().contiguous()
    folder = engine_data / "models" / "checkpoints"
    folder.mkdir(parents=True)
    save_file(tensors, folder / FILE, tokenizer_metadata())
    pieces = ["<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    unigram = Tokenizer(models.Unigram([(piece, -1.0 - n / 99) for n, piece in enumerate(pieces)], 2, False))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    place = engine_data / "models" / "tokenizers" / "t5"
    place.mkdir(parents=True)
    unigram.save(str(place / "tokenizer.json"))


def workflow(guidance: float | None, seed: int = 7) -> dict[str, Any]:
    """Text to image in three steps; `guidance` is put on the prompt by a node."""
    nodes: dict[str, Any] = {
        "loader": {"type": "load.checkpoint", "inputs": {"file": FILE}},
        "positive": {
            "type": "text.encode",
            "inputs": {"encoder": {"from": "loader.text_encoder"}, "text": "a red circle"},
        },
        "negative": {"type": "text.encode", "inputs": {"encoder": {"from": "loader.text_encoder"}}},
        "latent": {"type": "latent.empty", "inputs": {"width": 64, "height": 48}},
        "sample": {
            "type": "sample",
            "inputs": {
                "model": {"from": "loader.model"}, "positive": {"from": "positive"},
                "negative": {"from": "negative"}, "latent": {"from": "latent"}, "seed": seed, "steps": 3,
                "cfg": 1.0 if guidance is not None else 4.0, "sampler": "euler", "scheduler": "simple",
            },
        },
        "decode": {
            "type": "vae.decode", "inputs": {"vae": {"from": "loader.vae"}, "latent": {"from": "sample"}},
        },
    }  # fmt: skip
    if guidance is not None:
        nodes["told"] = {
            "type": "conditioning.set_guidance",
            "inputs": {"conditioning": {"from": "positive"}, "guidance": guidance},
        }
        nodes["sample"]["inputs"]["positive"] = {"from": "told"}
    return {"nodegraph": 1, "nodes": nodes, "outputs": {"image": {"from": "decode"}}}


def pixels(result: RunResult) -> Tensor:
    image = result.outputs["image"]
    assert isinstance(image, Image)
    return image.pixels


def run(engine: Engine, document: dict[str, Any], tmp_path: Path) -> Tensor:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(document))
    return pixels(engine.run_sync(path))


@pytest.mark.parametrize("name", ["SD 3.5", "FLUX.1 dev"])
def test_a_prompt_becomes_a_picture(engine: Engine, tmp_path: Path, name: str) -> None:
    write(tmp_path / "data", MMDiT(SD3) if name == "SD 3.5" else Flux(FLUX))
    guidance = 3.5 if name == "FLUX.1 dev" else None
    first = run(engine, workflow(guidance), tmp_path)
    assert first.shape == (1, 48, 64, 3)
    assert torch.isfinite(first).all()
    assert first.std() > 0
    assert not torch.equal(first, run(engine, workflow(guidance, seed=8), tmp_path))
    if guidance is not None:
        assert not torch.equal(first, run(engine, workflow(1.0), tmp_path))


def test_what_is_assumed_of_a_file_stands_in_the_plan_and_in_the_run_record(
    engine: Engine, tmp_path: Path
) -> None:
    write(tmp_path / "data", Flux(FLUX))
    document = workflow(1.0)
    (note,) = engine.plan(document).graph.notes
    assert note.startswith(f"{FILE}: taken for the plain model of its family")
    assert "'kontext'" in note
    assert engine.run_sync(document).record.run["notes"] == [note]
    document["nodes"]["loader"]["inputs"]["variant"] = "kontext"
    assert engine.bind(document).notes == ()
