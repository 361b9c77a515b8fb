"""LoKr: the Kronecker product of two small matrices (KronA; Edalati et al. 2022), as LyCORIS writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor


def lokr(parts: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """w1 ⊗ w2 in the shape of the weight [out,in,…]: w1 [a,b], w2 [c,d,…] with a·c = out, b·d = in.

    Each may be whole, or the product of w_a [·,r] and w_b [r,·]; w2 also with a core t2 [r,s,k,k]:
    w2_a [r,c], w2_b [s,d].
    """
    first, second = _factor(parts, "1"), _factor(parts, "2")
    kernel = weight.shape[2:]
    inputs = weight.shape[1] // first.shape[1] if weight.ndim > 1 else 1
    second = second.reshape(second.shape[0], inputs, math.prod(kernel))
    product = torch.einsum("ab,cdk->acbdk", first, second)
    return product.reshape(weight.shape)


def _factor(parts: Mapping[str, Tensor], number: str) -> Tensor:
    whole = parts.get(f"lokr_w{number}")
    if whole is not None:
        return whole
    a, b = parts[f"lokr_w{number}_a"], parts[f"lokr_w{number}_b"]
    core = parts.get("lokr_t2") if number == "2" else None
    if core is None:
        return a @ b.flatten(1)
    return torch.einsum("rc,rs...,sd->cd...", a, core, b)
