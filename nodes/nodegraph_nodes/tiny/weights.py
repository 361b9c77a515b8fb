"""The model's file: one safetensors in the key layout of the original Stable Diffusion 1.x checkpoints.

Self-contained: tokenizer, prediction type and card travel in the metadata. ``v_pred`` is the empty tensor by
which tools that read no metadata recognise a velocity-predicting SD 1.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.modelfiles.shapes import unet_config
from nodegraph_nodes.tiny import checkpoint
from nodegraph_nodes.tiny.nets import VAE, TextEncoder, TinyModel
from nodegraph_nodes.tiny.tokenizer import Vocabulary

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer.text_model."
MARKER = "v_pred"

#: The card that is copied into the file's metadata.
CARD = Path(__file__).with_name("CARD.md")

TITLE = "nodegraph tiny"


def text_state(text: TextEncoder) -> dict[str, Tensor]:
    """The text encoder's tensors, named as below ``text_model.`` in an SD 1.x file.

    ``transformers`` had that prefix in the state dict up to version 4 and drops it since version 5.
    """
    return {
        name.removeprefix("text_model."): tensor for name, tensor in text.transformer.state_dict().items()
    }


def load_text_state(text: TextEncoder, tensors: Mapping[str, Tensor]) -> None:
    """The reverse of :func:`text_state`."""
    prefixed = any(name.startswith("text_model.") for name in text.transformer.state_dict())
    prefix = "text_model." if prefixed else ""
    text.transformer.load_state_dict({prefix + name: tensor for name, tensor in tensors.items()})


def tensors_of(model: TinyModel) -> dict[str, Tensor]:
    """All tensors of a model under their names in the file, in the precision they have."""
    parts = (
        (UNET_PREFIX, model.unet.state_dict()),
        (VAE_PREFIX, model.vae.state_dict()),
        (TEXT_PREFIX, text_state(model.text)),
    )
    return {prefix + name: tensor for prefix, state in parts for name, tensor in state.items()}


def metadata_of(model: TinyModel, step: int) -> dict[str, str]:
    """The file's text metadata."""
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": "stable-diffusion-v1",
        "modelspec.title": TITLE,
        "modelspec.license": "Apache-2.0",
        "modelspec.prediction_type": "v",
        "modelspec.resolution": "128x128",
        "prediction_type": "v",
        "step": str(step),
        "tokenizer.vocab": model.vocabulary.vocab_json(),
        "tokenizer.merges": model.vocabulary.merges_text(),
        "card": CARD.read_text(encoding="utf-8") if CARD.exists() else "",
    }


def save_model(model: TinyModel, path: Path, step: int) -> None:
    """Write a model in float16.

    Raises ValueError where a weight would not survive the precision.
    """
    tensors: dict[str, Tensor] = {}
    for name, tensor in tensors_of(model).items():
        half = tensor.half() if tensor.is_floating_point() else tensor
        if not torch.isfinite(half).all():
            raise ValueError(f"{name} has values that float16 cannot hold")
        tensors[name] = half
    tensors[MARKER] = torch.zeros(0)
    checkpoint.write(path, tensors, metadata_of(model, step))


def load_model(path: Path) -> TinyModel:
    """Read a model file in float32; the UNet's shape is read from its keys."""
    metadata = checkpoint.read_metadata(path)
    vocabulary = Vocabulary.parse(metadata["tokenizer.vocab"], metadata["tokenizer.merges"])

    def part(prefix: str) -> dict[str, Tensor]:
        found = checkpoint.read(path, prefix)
        return {
            name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in found.items()
        }

    unet_tensors = part(UNET_PREFIX)
    config = unet_config({name: tuple(tensor.shape) for name, tensor in unet_tensors.items()})
    model = TinyModel(vocabulary, TextEncoder(), AutoencoderKL(VAE), UNet(config))
    model.unet.load_state_dict(unet_tensors)
    model.vae.load_state_dict(part(VAE_PREFIX))
    load_text_state(model.text, part(TEXT_PREFIX))
    for network in (model.text, model.vae, model.unet):
        network.eval()
    return model


def step_of(path: Path) -> int:
    """The training step a model file was written at."""
    return int(checkpoint.read_metadata(path).get("step", "0"))
