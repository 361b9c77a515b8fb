"""DoRA: a change of direction, and lengths that are learned apart (Liu et al. 2024, eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor


def dora(weight: Tensor, delta: Tensor, scale: Tensor, *, by_row: bool) -> Tensor:
    """What makes W' = m · (W + ΔW) / ‖W + ΔW‖ of the weight W [out,in,…].

    scale: m, one length for every row (by_row), as PEFT's and many of LyCORIS' files have, or for every
    column. As in the paper and in PEFT, the norm is that of the changed weight (ComfyUI 0.3.64 takes that
    of W for rows, so pictures differ a little).
    """
    turned = weight + delta
    kept = 0 if by_row else 1
    dims = [dim for dim in range(turned.ndim) if dim != kept]
    length: Tensor = torch.linalg.vector_norm(turned, dim=dims, keepdim=True)
    length = length.clamp_min(torch.finfo(length.dtype).tiny)
    return turned * (scale.reshape(length.shape) / length) - weight
