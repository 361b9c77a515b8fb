"""What a weight does to the vector of a token."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nodegraph.diffusion.text.chunks import Token


def weigh(vectors: Tensor, empty: Tensor, chunk: Sequence[Token]) -> Tensor:
    """Vectors [T,D] of a chunk, moved away from those of the empty prompt at the same positions [T,D].

    v' = empty + (v - empty) * weight, as in ComfyUI 0.3.64; a weight of 1 keeps the bits of the vector.
    """
    weights = torch.tensor([token.weight for token in chunk], dtype=vectors.dtype)[:, None]
    return torch.where(weights == 1, vectors, (vectors - empty) * weights + empty)
