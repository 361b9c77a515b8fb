"""Small random networks and the files that hold them: what the tests use instead of real weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.text.clip import build_clip
from nodegraph.errors import InputError
from nodegraph.modelfiles.configs import ClipTextConfig, UNetConfig, VaeConfig
from nodegraph.values import ModelFile

UNET = UNetConfig(
    model_channels=32, channels=(32, 64), res_blocks=1, depths=(0, 1), context_dim=32, time_dim=64
)
VAE = VaeConfig(
    base_channels=16, channels=(16, 16, 32, 32), res_blocks=1, attention=(False, False, False, True)
)
TEXT = ClipTextConfig(vocabulary=520, positions=77, width=32, layers=3, hidden=64)


def randomise(module: nn.Module, seed: int) -> None:
    """Give every parameter a random value; the zeros of an untrained network would hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            draw = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(draw * parameter[0].numel() ** -0.5)
            else:
                parameter.copy_(draw * 0.1 + (1.0 if name.endswith("weight") else 0.0))


def byte_vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The smallest complete CLIP vocabulary: every byte, every byte at a word's end, a few merges."""
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("r", "e"), ("re", "d</w>"), ("b", "l"), ("bl", "u"), ("blu", "e</w>")]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    tokens += ["<|unused|>", "<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}, merges


def checkpoint_tensors(seed: int = 0) -> dict[str, Tensor]:
    """A complete small checkpoint of the SD 1.x family, with its original key names."""
    unet, vae, text = UNet(UNET), AutoencoderKL(VAE), build_clip(TEXT)
    tensors: dict[str, Tensor] = {}
    for offset, (module, prefix) in enumerate(
        [
            (unet, "model.diffusion_model."),
            (vae, "first_stage_model."),
            (text, "cond_stage_model.transformer."),
        ]
    ):
        randomise(module, seed * 10 + offset)
        for name, tensor in module.state_dict().items():
            infix = "text_model." if module is text and not name.startswith("text_model.") else ""
            tensors[f"{prefix}{infix}{name}"] = tensor.clone()
    return tensors


def tokenizer_metadata() -> dict[str, str]:
    vocabulary, merges = byte_vocabulary()
    lines = "\n".join(" ".join(pair) for pair in merges)
    return {"tokenizer.vocab": json.dumps(vocabulary), "tokenizer.merges": f"#version: 0.2\n{lines}\n"}


@dataclass
class Folder:
    """The `Files` protocol over a dictionary: hash -> path."""

    paths: dict[str, Path] = field(default_factory=dict)

    def add(self, path: Path) -> ModelFile:
        file = ModelFile(f"hash of {path}", path.name)
        self.paths[file.hash] = path
        return file

    def get(self, kind: str, name: str) -> ModelFile:
        for content_hash, path in self.paths.items():
            if path.name == name:
                return ModelFile(content_hash, name)
        raise InputError(f"there is no file '{name}' in {kind}")

    def path(self, file: ModelFile) -> Path:
        return self.paths[file.hash]
