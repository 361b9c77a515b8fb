"""A change that the file holds whole: full fine-tunings as differences, of norms and biases too."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def diff(parts: Mapping[str, Tensor], weight: Tensor) -> Tensor:
    """The difference in the shape of the weight."""
    return parts["diff"].reshape(weight.shape)
