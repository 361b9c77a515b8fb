"""GLoRA: a change that also mixes the inputs of the weight (Chavan et al. 2023, "One-for-All", eq. 10)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nodegraph.modelfiles.loras.algorithms import glora_form


def glora(parts: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """W·A + B for the weight W [out,in,…], with A = a2 · a1 [in,in] and B = b2 · b1 [out,in…].

    a1 [r,in], a2 [in,r], b1 [r,in…], b2 [out,r]; newer files hold the transposed ones, A = a1 · a2 and
    B = b1 · b2, which their shapes tell.
    """
    a1, a2, b1, b2 = (parts[name].flatten(1) for name in ("a1", "a2", "b1", "b2"))
    if glora_form([tuple(each.shape) for each in (a1, a2, b1, b2)], tuple(weight.shape)) == "transposed":
        a1, a2, b1, b2 = a2, a1, b2, b1
    return torch.einsum("oi...,ij->oj...", weight, a2 @ a1) + (b2 @ b1).reshape(weight.shape)
