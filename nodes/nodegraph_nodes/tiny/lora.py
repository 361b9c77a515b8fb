"""LoRA: low-rank matrices beside the linear layers of the UNet's transformers (Hu et al. 2021).

The file has the names that kohya's trainer writes: ``lora_unet_<path>.lora_down.weight``, ``.lora_up.weight``
and ``.alpha``, with the path in diffusers' names and underscores for dots.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from nodegraph.diffusion.nets.attention import TransformerBlock
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph_nodes.tiny import checkpoint

RANK = 4


class LoraLinear(nn.Module):
    """A frozen linear layer plus ``strength · up · down``; up starts at zero, so nothing changes at first."""

    def __init__(self, base: nn.Linear, rank: int = RANK) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        self.strength = 1.0
        nn.init.kaiming_uniform_(self.down.weight, a=1)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base(x) + self.strength * self.up(self.down(x))
        return out


def attach(unet: UNet, rank: int = RANK) -> dict[str, LoraLinear]:
    """Freeze a UNet and put a LoRA beside every linear layer of its transformers: module path -> layer."""
    unet.requires_grad_(False)
    for _, block in list(unet.named_modules()):
        if not isinstance(block, TransformerBlock):
            continue
        for inner, linear in list(block.named_modules()):
            if isinstance(linear, nn.Linear):
                parent, _, name = inner.rpartition(".")
                setattr(block.get_submodule(parent), name, LoraLinear(linear, rank))
    return attached(unet)


def attached(unet: UNet) -> dict[str, LoraLinear]:
    """The LoRA layers of a UNet that :func:`attach` was called on, or of a copy of it."""
    return {path: module for path, module in unet.named_modules() if isinstance(module, LoraLinear)}


def set_strength(layers: dict[str, LoraLinear], strength: float) -> None:
    """Change the share of the LoRA that is added; 0 gives the base model exactly."""
    for layer in layers.values():
        layer.strength = strength


def stem(path: str, unet: UNet) -> str:
    """The name of a module in a LoRA file."""
    diffusers = to_diffusers(path, diffusers_prefixes(unet.config))
    if diffusers is None:
        raise ValueError(f"{path} has no name in the LoRA layout")
    return "lora_unet_" + diffusers.replace(".", "_")


def tensors_of(layers: dict[str, LoraLinear], unet: UNet) -> dict[str, Tensor]:
    """The file's tensors, float16; alpha equals the rank, so the product is added as it is."""
    tensors: dict[str, Tensor] = {}
    for path, layer in layers.items():
        name = stem(path, unet)
        tensors[f"{name}.lora_down.weight"] = layer.down.weight.half()
        tensors[f"{name}.lora_up.weight"] = layer.up.weight.half()
        tensors[f"{name}.alpha"] = torch.tensor(float(layer.down.out_features)).half()
    return tensors


def save(layers: dict[str, LoraLinear], unet: UNet, path: Path, trigger: str) -> None:
    """Write the LoRA; ``trigger`` is the word that its training captions began with."""
    rank = next(iter(layers.values())).down.out_features
    metadata = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(rank),
        "ss_network_alpha": str(float(rank)),
        "modelspec.title": f"nodegraph tiny: {trigger}",
        "modelspec.trigger_phrase": trigger,
        "modelspec.license": "Apache-2.0",
    }
    checkpoint.write(path, tensors_of(layers, unet), metadata)


def load(layers: dict[str, LoraLinear], unet: UNet, path: Path) -> None:
    """Read a LoRA into attached layers."""
    tensors = checkpoint.read(path)
    with torch.no_grad():
        for module, layer in layers.items():
            name = stem(module, unet)
            layer.down.weight.copy_(tensors[f"{name}.lora_down.weight"])
            layer.up.weight.copy_(tensors[f"{name}.lora_up.weight"])
