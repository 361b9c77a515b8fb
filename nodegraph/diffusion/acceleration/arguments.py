"""The arguments of a network as what a capture needs: a signature, and tensors that keep their place.

Arguments are tensors, None, and lists or tuples of these.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor


def signature_of(arguments: Sequence[Any]) -> Hashable:
    """Equal for arguments that one captured step can serve: structure, shapes, dtypes, strides, devices."""
    return tuple(map(_signature, arguments))


def held_copies(arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The same arguments in memory of their own."""
    return tuple(map(_copy, arguments))


def fill(held: Sequence[Any], arguments: Sequence[Any]) -> None:
    """Write arguments into held copies of the same signature."""
    for target, source in zip(tensors_in(held), tensors_in(arguments), strict=True):
        target.copy_(source)


def tensors_in(arguments: Any) -> Iterator[Tensor]:
    """Every tensor of the arguments, in order."""
    if isinstance(arguments, Tensor):
        yield arguments
    elif isinstance(arguments, (list, tuple)):
        for item in arguments:
            yield from tensors_in(item)


def _signature(argument: Any) -> Hashable:
    if isinstance(argument, Tensor):
        return (tuple(argument.shape), str(argument.dtype), _strides(argument), str(argument.device))
    if isinstance(argument, (list, tuple)):
        return tuple(map(_signature, argument))
    if argument is None:
        return None
    raise TypeError(f"a network is given a {type(argument).__name__}, which cannot be captured")


def _copy(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        strides = _strides(argument)
        if strides is None:
            return argument.clone(memory_format=torch.contiguous_format)
        own = torch.empty_strided(argument.shape, strides, dtype=argument.dtype, device=argument.device)
        return own.copy_(argument)
    if isinstance(argument, (list, tuple)):
        return type(argument)(map(_copy, argument))
    return argument


def _strides(tensor: Tensor) -> tuple[int, ...] | None:
    """Its strides; None where it shows one number at several places, which a tensor of its own cannot."""
    repeats = any(
        stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
    )
    return None if repeats else tensor.stride()
