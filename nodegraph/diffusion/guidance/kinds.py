"""What a sampler is given to ask: a denoiser that already follows the prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

from nodegraph.errors import InputError

Denoise = Callable[[Tensor, Tensor], Tensor]
"""x [B,C,h,w] and a 0-dimensional sigma -> x0 [B,C,h,w]."""


@runtime_checkable
class WithNegative(Protocol):
    """A `Denoise` that can also tell what the negative prompt alone gives: what CFG++ samplers ask for."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor: ...

    def with_negative(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """The guided x0, and the x0 of the negative prompt alone; both [B,C,h,w], from one batch."""
        ...


def with_negative(denoise: Denoise) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """(x, sigma) -> (guided x0, negative x0). InputError where the guidance has no negative prompt."""
    if not isinstance(denoise, WithNegative):
        raise InputError(
            "this sampler needs the estimate of the negative prompt",
            input="sampler",
            expected="guidance with a negative prompt",
            remedy="Guide with a positive and a negative prompt, or choose a sampler without cfg_pp.",
        )
    return denoise.with_negative
