"""Apply a LoRA: low-rank changes of weights (Hu et al. 2021), also of convolutions (LoCon).

W' = W + strength * (alpha / rank) * up · down, computed in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nodegraph.diffusion.patching import Bench, PatchKind, Scope
from nodegraph.modelfiles.lora_match import LoraLayer, match_lora
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.values import Patch


def lora_delta(layer: LoraLayer, tensors: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """(alpha / rank) * up · down in the shape and on the device of the weight, float32.

    With a `mid` tensor [r,r,k,k] the kernel is in the middle (the CP form of LoCon): the product is
    up [out,r] · mid · down [r,in]. Without alpha the factor is 1.
    """

    def matrix(name: str) -> Tensor:
        return tensors[name].to(weight.device, torch.float32)

    up, down = matrix(layer.up).flatten(1), matrix(layer.down).flatten(1)
    if layer.mid is None:
        product = up @ down
    else:
        product = torch.einsum("or,rsij,sc->ocij", up, matrix(layer.mid), down)
    return product.reshape(weight.shape) * _factor(layer, tensors)


def _factor(layer: LoraLayer, tensors: Mapping[str, Tensor]) -> float:
    if layer.alpha is None:
        return 1.0
    alpha = tensors[layer.alpha].item() if isinstance(layer.alpha, str) else layer.alpha
    return float(alpha) / layer.rank


def apply_lora_to_denoiser(patch: Patch, bench: Bench) -> Mapping[str, Tensor]:
    """The UNet's tensors that `Patch.of("lora", file=HASH, strength=S)` changes."""
    return _apply(patch, bench, "denoiser")


def apply_lora_to_text_encoder(patch: Patch, bench: Bench) -> Mapping[str, Tensor]:
    """The text encoder's tensors that `Patch.of("lora", file=HASH, strength=S)` changes."""
    return _apply(patch, bench, "clip_l")


def _apply(patch: Patch, bench: Bench, component: str) -> Mapping[str, Tensor]:
    """ModelFileError where the LoRA fits neither component; one that fits the other changes nothing."""
    strength = float(patch.get("strength"))
    with bench.file(patch.get("file")) as (header, tensors):
        match = match_lora(header, bench.components)
        if strength == 0:
            return {}
        changed: dict[str, Tensor] = {}
        for layer in match.of(component):
            if not bench.wanted(layer.weight):
                continue
            # Two spellings of one module in a file add up, so earlier changes count.
            weight = changed.get(layer.weight, bench.weights[layer.weight])
            changed[layer.weight] = weight.float() + strength * lora_delta(layer, tensors, weight)
        return changed


def lora_scope(patch: Patch, components: Mapping[str, Shapes], header: Callable[[str], Header]) -> Scope:
    """The LoRA's file, and the tensors that it changes by component."""
    content_hash = str(patch.get("file"))
    changes: dict[str, set[str]] = {}
    if patch.get("strength") != 0:
        for layer in match_lora(header(content_hash), components).layers:
            changes.setdefault(layer.component, set()).add(layer.weight)
    return Scope((content_hash,), {name: frozenset(weights) for name, weights in changes.items()})


LORA = PatchKind(denoiser=apply_lora_to_denoiser, text_encoder=apply_lora_to_text_encoder, scope=lora_scope)
"""The patch kind `lora`, with parameters `file` (content hash) and `strength`."""
