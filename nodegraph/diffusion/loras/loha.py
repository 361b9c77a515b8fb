"""LoHa: the product, entry by entry, of two low-rank matrices (FedPara; Hyeon-Woo et al. 2022, eq. 3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def loha(parts: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """(w1_a · w1_b) ⊙ (w2_a · w2_b) in the shape of the weight [out,in,…]."""
    return _factor(parts, "1", weight) * _factor(parts, "2", weight)


def _factor(parts: Mapping[str, Tensor], number: str, weight: Tensor) -> Tensor:
    """a [out,r] · b [r,in…]; with a core t [r,s,k,k] (proposition 3 there): a [r,out], b [s,in]."""
    a, b = parts[f"hada_w{number}_a"], parts[f"hada_w{number}_b"]
    core = parts.get(f"hada_t{number}")
    if core is None:
        return (a.flatten(1) @ b.flatten(1)).reshape(weight.shape)
    return torch.einsum("ro,rs...,si->oi...", a, core, b)
