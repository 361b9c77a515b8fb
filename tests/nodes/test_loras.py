"""`load.lora` on a whole SD 3: strengths apart, what fits nothing is counted, other families are refused."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from nodegraph import Engine, Latent
from nodegraph.diffusion.nets.mmdit import MMDiT
from nodegraph.errors import RunFailedError
from tests.nodes.test_transformer_checkpoints import SD3, workflow, write

ENDS = (".lora_A.weight", ".lora_B.weight")


def pair(stem: str, columns: int, rows: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(len(stem))
    return {
        f"{stem}.lora_A.weight": torch.randn(2, columns, generator=generator),
        f"{stem}.lora_B.weight": torch.randn(rows, 2, generator=generator),
    }


DENOISER = pair("transformer.transformer_blocks.0.attn.to_q", 128, 128)
TEXT = pair("text_encoder.text_model.encoder.layers.0.mlp.fc1", 32, 64) | pair(
    "text_encoder_3.encoder.block.1.layer.1.DenseReluDense.wo", 96, 128
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder with a small SD 3 and a LoRA for it."""
    folder = tmp_path / "data"
    write(folder, MMDiT(SD3))
    (folder / "models" / "loras").mkdir(parents=True)
    return folder


def latent(engine: Engine, data: Path, tensors: dict[str, Tensor], **strengths: float) -> Tensor:
    """What three steps give with a LoRA of these tensors on model and text encoder."""
    document: dict[str, Any] = workflow(None)
    nodes = document["nodes"]
    nodes["lora"] = {
        "type": "load.lora",
        "inputs": {
            "model": {"from": "loader.model"}, "text_encoder": {"from": "loader.text_encoder"},
            "file": "l.safetensors", **strengths,
        },
    }  # fmt: skip
    for name in ("positive", "negative"):
        nodes[name]["inputs"]["encoder"] = {"from": "lora.text_encoder"}
    nodes["sample"]["inputs"]["model"] = {"from": "lora.model"}
    return run(engine, data, tensors, document)


def run(engine: Engine, data: Path, tensors: dict[str, Tensor], document: dict[str, Any]) -> Tensor:
    save_file(tensors, data / "models" / "loras" / "l.safetensors")
    del document["nodes"]["decode"]
    document["outputs"] = {"latent": {"from": "sample"}}
    path = data / "workflow.json"
    path.write_text(json.dumps(document))
    made = engine.run_sync(path).outputs["latent"]
    assert isinstance(made, Latent)
    return made.samples


def test_model_and_text_have_strengths_of_their_own(engine: Engine, data: Path) -> None:
    both = DENOISER | TEXT
    plain = latent(engine, data, both, strength=0.0)
    model = latent(engine, data, both, strength=0.7, text_strength=0.0)
    text = latent(engine, data, both, strength=0.0, text_strength=0.5)
    assert not torch.equal(plain, model)
    assert not torch.equal(plain, text)
    assert torch.equal(model, latent(engine, data, DENOISER, strength=0.7, text_strength=9.0))
    assert torch.equal(text, latent(engine, data, TEXT, strength=9.0, text_strength=0.5))
    assert torch.equal(
        latent(engine, data, both, strength=0.5), latent(engine, data, both, strength=0.5, text_strength=0.5)
    )


def test_a_lora_on_the_model_alone(engine: Engine, data: Path) -> None:
    def alone(tensors: dict[str, Tensor], strength: float) -> Tensor:
        document: dict[str, Any] = workflow(None)
        document["nodes"]["lora"] = {
            "type": "load.model_lora",
            "inputs": {"model": {"from": "loader.model"}, "file": "l.safetensors", "strength": strength},
        }
        document["nodes"]["sample"]["inputs"]["model"] = {"from": "lora"}
        return run(engine, data, tensors, document)

    assert torch.equal(alone(DENOISER | TEXT, 0.7), latent(engine, data, DENOISER, strength=0.7))
    assert torch.equal(alone(DENOISER, 0.0), latent(engine, data, DENOISER, strength=0.0))
    with pytest.raises(RunFailedError, match="fits this model"):
        alone(TEXT, 0.7)


def test_what_fits_nothing_is_counted_with_examples(
    engine: Engine, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        latent(engine, data, DENOISER | pair("transformer.transformer_blocks.99.attn.to_q", 128, 128))
    said = [record.getMessage() for record in caplog.records if "l.safetensors" in record.getMessage()]
    assert any("2 tensors fit nothing here" in text and "transformer_blocks.99" in text for text in said)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (pair("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 768, 640), "SD 1.x"),
        (pair("transformer.single_transformer_blocks.0.attn.to_q", 3072, 3072), "FLUX.1"),
    ],
)
def test_a_lora_for_another_family_is_an_error_that_names_both(
    engine: Engine, data: Path, tensors: dict[str, Tensor], words: str
) -> None:
    with pytest.raises(RunFailedError, match="fits this model") as caught:
        latent(engine, data, tensors)
    assert words in str(caught.value)
    assert "SD 3" in str(caught.value)
