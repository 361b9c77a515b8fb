"""LoRA: low-rank changes of weights (Hu et al. 2021), and of convolutions (LoCon; Yeh et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def lora(parts: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """up · down in the shape of the weight [out,in,…]: up [out,r] and down [r,in,…].

    With a `mid` [r,s,k,k] the kernel is between the two (Tucker form): up [out,r] · mid · down [s,in].
    """
    up, down = parts["up"].flatten(1), parts["down"].flatten(1)
    mid = parts.get("mid")
    if mid is None:
        return (up @ down).reshape(weight.shape)
    return torch.einsum("or,rs...,si->oi...", up, mid, down)
