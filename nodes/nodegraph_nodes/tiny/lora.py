"""LoRA: low-rank matrices beside linear layers (Hu et al. 2021) and convolutions ("LoCon") of the UNet.

The transformers say what a word means, the convolutions how it looks: a style needs both.

The file has the names that kohya's trainer writes: ``lora_unet_<path>.lora_down.weight``, ``.lora_up.weight``
and ``.alpha``, with the path in diffusers' names and underscores for dots.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from nodegraph.diffusion.nets.attention import TransformerBlock
from nodegraph.diffusion.nets.unet import ResBlock, UNet
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph_nodes.tiny import checkpoint

RANK = 4


class LoraLayer(nn.Module):
    """A frozen layer plus ``strength · up · down``; up starts at zero, so nothing changes at first.

    For a convolution, down has its kernel, stride and padding, and up is 1x1.
    """

    def __init__(self, base: nn.Linear | nn.Conv2d, rank: int = RANK) -> None:
        super().__init__()
        self.base, self.rank = base, rank
        self.down: nn.Linear | nn.Conv2d
        self.up: nn.Linear | nn.Conv2d
        if isinstance(base, nn.Linear):
            self.down = nn.Linear(base.in_features, rank, bias=False)
            self.up = nn.Linear(rank, base.out_features, bias=False)
        else:
            kernel, stride = (base.kernel_size[0], base.kernel_size[1]), (base.stride[0], base.stride[1])
            self.down = nn.Conv2d(
                base.in_channels, rank, kernel, stride=stride, padding=kernel[0] // 2, bias=False
            )
            self.up = nn.Conv2d(rank, base.out_channels, 1, bias=False)
        self.strength = 1.0
        nn.init.kaiming_uniform_(self.down.weight, a=1)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base(x) + self.strength * self.up(self.down(x))
        return out


def attach(unet: UNet, rank: int = RANK) -> dict[str, LoraLayer]:
    """Freeze a UNet and put a LoRA beside the layers that carry a style: module path -> LoRA.

    Those are all linear layers of transformers and the 3x3 convolutions of residual blocks.
    """
    unet.requires_grad_(False)
    for block in list(unet.modules()):
        if not isinstance(block, TransformerBlock | ResBlock):
            continue
        for inner, layer in list(block.named_modules()):
            linear = isinstance(layer, nn.Linear) and isinstance(block, TransformerBlock)
            if linear or (isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)):
                parent, _, name = inner.rpartition(".")
                setattr(block.get_submodule(parent), name, LoraLayer(layer, rank))
    return attached(unet)


def attached(unet: UNet) -> dict[str, LoraLayer]:
    """The LoRA layers of a UNet that :func:`attach` was called on, or of a copy of it."""
    return {path: module for path, module in unet.named_modules() if isinstance(module, LoraLayer)}


def set_strength(layers: dict[str, LoraLayer], strength: float) -> None:
    """Change the share of the LoRA that is added; 0 gives the base model exactly."""
    for layer in layers.values():
        layer.strength = strength


def stem(path: str, unet: UNet) -> str:
    """The name of a module in a LoRA file."""
    diffusers = to_diffusers(path, diffusers_prefixes(unet.config))
    if diffusers is None:
        raise ValueError(f"{path} has no name in the LoRA layout")
    return "lora_unet_" + diffusers.replace(".", "_")


def tensors_of(layers: dict[str, LoraLayer], unet: UNet) -> dict[str, Tensor]:
    """The file's tensors, float16; alpha equals the rank, so the product is added as it is."""
    tensors: dict[str, Tensor] = {}
    for path, layer in layers.items():
        name = stem(path, unet)
        tensors[f"{name}.lora_down.weight"] = layer.down.weight.half()
        tensors[f"{name}.lora_up.weight"] = layer.up.weight.half()
        tensors[f"{name}.alpha"] = torch.tensor(float(layer.rank)).half()
    return tensors


def save(layers: dict[str, LoraLayer], unet: UNet, path: Path, trigger: str) -> None:
    """Write the LoRA; ``trigger`` is the word that its training captions began with."""
    rank = next(iter(layers.values())).rank
    metadata = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(rank),
        "ss_network_alpha": str(float(rank)),
        "ss_network_args": f'{{"conv_dim": "{rank}", "conv_alpha": "{float(rank)}"}}',
        "modelspec.title": f"nodegraph tiny: {trigger}",
        "modelspec.trigger_phrase": trigger,
        "modelspec.license": "Apache-2.0",
    }
    checkpoint.write(path, tensors_of(layers, unet), metadata)


def load(layers: dict[str, LoraLayer], unet: UNet, path: Path) -> None:
    """Read a LoRA into attached layers; those that the file does not adapt change nothing."""
    tensors = checkpoint.read(path)
    with torch.no_grad():
        for module, layer in layers.items():
            name = stem(module, unet)
            if f"{name}.lora_up.weight" not in tensors:
                layer.up.weight.zero_()
                continue
            layer.down.weight.copy_(tensors[f"{name}.lora_down.weight"])
            layer.up.weight.copy_(tensors[f"{name}.lora_up.weight"])
