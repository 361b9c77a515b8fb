"""What one layer of a LoRA file adds to its weight, whatever the algorithm and the layout."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nodegraph.diffusion.loras.diff import diff
from nodegraph.diffusion.loras.dora import dora
from nodegraph.diffusion.loras.glora import glora
from nodegraph.diffusion.loras.loha import loha
from nodegraph.diffusion.loras.lokr import lokr
from nodegraph.diffusion.loras.lora import lora
from nodegraph.modelfiles.loras import LoraLayer

Delta = Callable[[Mapping[str, Tensor], Tensor], Tensor]
"""(tensors by role, weight) -> the change without its scale, in the weight's shape."""

DELTAS: Mapping[str, Delta] = {"lora": lora, "loha": loha, "lokr": lokr, "glora": glora, "diff": diff}
"""The algorithms, by the names of `nodegraph.modelfiles.loras.algorithms.ALGORITHMS`."""


def lora_delta(layer: LoraLayer, tensors: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """What the layer adds at strength 1 to the whole weight, float32 on its device.

    tensors: those of the LoRA file; rows and columns that the layer does not mean get zeros.
    """
    delta = torch.zeros(weight.shape, device=weight.device)
    meant(layer, delta).copy_(_delta(layer, tensors, meant(layer, weight).float()))
    return delta


def add(layer: LoraLayer, tensors: Mapping[str, Tensor], weight: Tensor, strength: float) -> None:
    """Add the layer's change times the strength to a weight that is float32 and nobody else's."""
    part = meant(layer, weight)
    part.add_(_delta(layer, tensors, part), alpha=strength)


def meant(layer: LoraLayer, weight: Tensor) -> Tensor:
    """The rows and columns of a weight that the layer changes: a view."""
    rows = weight if layer.rows is None else weight[layer.rows[0] : layer.rows[1]]
    return rows if layer.columns is None else rows[:, : layer.columns]


def _delta(layer: LoraLayer, tensors: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    parts = {role: tensors[name].to(weight.device, torch.float32) for role, name in layer.parts.items()}
    # A change in another layout than the weight has but its shape to go by.
    whole = weight if tuple(weight.shape) == layer.shape else torch.empty(layer.shape, device="meta")
    delta = DELTAS[layer.algorithm](parts, whole) * _factor(layer, tensors)
    if layer.part is not None:
        delta = delta.chunk(layer.part[1])[layer.part[0]]
    if layer.swapped:
        delta = torch.cat(delta.chunk(2)[::-1])
    scale = parts.get("magnitude", parts.get("dora"))
    if scale is None:
        return delta
    return dora(weight, delta, scale, by_row="magnitude" in parts or _is_by_row(scale, weight))


def _is_by_row(scale: Tensor, weight: Tensor) -> bool:
    """Whether LyCORIS' scale is for rows ([out,1,…]) and not for columns ([1,in,…])."""
    if weight.shape[0] != math.prod(scale.shape):
        return False
    return scale.ndim < 2 or scale.shape[0] == weight.shape[0]


def _factor(layer: LoraLayer, tensors: Mapping[str, Tensor]) -> float:
    """alpha / rank; 1 without alpha, and where alpha has no part in the algorithm."""
    if layer.alpha is None or not layer.rank:
        return 1.0
    alpha = tensors[layer.alpha].item() if isinstance(layer.alpha, str) else layer.alpha
    return float(alpha) / layer.rank
