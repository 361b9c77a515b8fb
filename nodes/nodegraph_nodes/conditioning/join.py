"""`conditioning.combine`, `concat`, `average`, `zero_out`: two prompts become one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nodegraph import Conditioning, node
from nodegraph.errors import InputError
from nodegraph.values import ConditioningEntry

if TYPE_CHECKING:
    from torch import Tensor

Strength = Annotated[float, Field(ge=0, le=1, description="1 is the first alone, 0 the second")]


@node("conditioning.combine", category="Conditioning", title="Combine conditioning", lane="cpu")
def combine(*conditionings: Conditioning) -> Conditioning:
    """Follow several prompts at once: each is predicted, and the predictions are averaged by weight."""
    return Conditioning(tuple(entry for one in conditionings for entry in one.entries))


@node("conditioning.concat", category="Conditioning", title="Concatenate conditioning", lane="cpu")
def concat(first: Conditioning, second: Conditioning) -> Conditioning:
    """Append the tokens of the second prompt to those of the first: one longer prompt, one prediction."""
    import torch

    added = _single(second).tokens

    def joined(entry: ConditioningEntry) -> ConditioningEntry:
        _check_width(entry.tokens, added)
        rows = max(entry.tokens.shape[0], added.shape[0])
        pair = [tokens.expand(rows, -1, -1) for tokens in (entry.tokens, added)]
        return replace(entry, tokens=torch.cat(pair, dim=1))

    return Conditioning(tuple(map(joined, first.entries)))


@node("conditioning.average", category="Conditioning", title="Average conditioning", lane="cpu")
def average(first: Conditioning, second: Conditioning, strength: Strength = 1.0) -> Conditioning:
    """Mix two prompts token by token: strength of the first, the rest of the second.

    The second is cut or filled up with zeros to the length of the first.
    """
    other = _single(second)

    def mixed(entry: ConditioningEntry) -> ConditioningEntry:
        _check_width(entry.tokens, other.tokens)
        tokens = _mix(entry.tokens, _to_length(other.tokens, entry.tokens.shape[1]), strength)
        pooled = entry.pooled if entry.pooled is not None else other.pooled
        if pooled is not None and other.pooled is not None:
            pooled = _mix(pooled, other.pooled, strength)
        return replace(entry, tokens=tokens, pooled=pooled)

    return Conditioning(tuple(map(mixed, first.entries)))


@node("conditioning.zero_out", category="Conditioning", title="Zero out conditioning", lane="cpu")
def zero_out(conditioning: Conditioning) -> Conditioning:
    """Zeros in the place of the tokens: the negative of models that were trained without one."""

    def zeroed(entry: ConditioningEntry) -> ConditioningEntry:
        pooled = None if entry.pooled is None else entry.pooled * 0
        return replace(entry, tokens=entry.tokens * 0, pooled=pooled)

    return Conditioning(tuple(map(zeroed, conditioning.entries)))


def _single(second: Conditioning) -> ConditioningEntry:
    if len(second.entries) != 1:
        raise InputError(
            "the second conditioning must be a single prompt",
            input="second", expected="one entry", found=f"{len(second.entries)} entries",
        )  # fmt: skip
    return second.entries[0]


def _check_width(one: Tensor, other: Tensor) -> None:
    if one.shape[-1] != other.shape[-1]:
        raise InputError(
            "the prompts were encoded by different text encoders",
            input="second", expected=f"tokens of width {one.shape[-1]}", found=f"width {other.shape[-1]}",
        )  # fmt: skip


def _mix(one: Tensor, other: Tensor, strength: float) -> Tensor:
    return one * strength + other * (1 - strength)


def _to_length(tokens: Tensor, length: int) -> Tensor:
    from torch.nn.functional import pad

    return pad(tokens[:, :length], (0, 0, 0, max(0, length - tokens.shape[1])))
