"""What prompts bring besides tokens, put in rows for a network: pooled vectors, guidance, pictures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import torch
from torch import Tensor

from nodegraph.errors import InputError
from nodegraph.runtime import Extras, LiveDenoiser, TakesExtras
from nodegraph.values import ConditioningEntry


def signature(entry: ConditioningEntry) -> Hashable:
    """Equal for entries whose extras can stand in one batch."""
    return (
        _shape(entry.pooled),
        entry.guidance is None,
        _shape(_beside(entry)),
        _shape(_mask(entry)),
        tuple(_shape(reference.samples) for reference in entry.references),
        None if entry.sizes is None else len(entry.sizes),
    )


def conditioned(denoiser: LiveDenoiser, entries: Sequence[ConditioningEntry], batch: int) -> LiveDenoiser:
    """The denoiser for `batch` images under each of these entries (of one signature), in this order.

    InputError: an entry brings pictures, and the network can take none.
    """
    if isinstance(denoiser, TakesExtras):
        return denoiser.given(extras_of(entries, batch, denoiser.device))
    for entry in entries:
        if entry.beside is not None or entry.references:
            raise InputError(
                "the prompt brings pictures, and this model takes none",
                expected="a model for inpainting, editing or control",
                remedy="Load such a model, or take the pictures off the prompt.",
            )
    return denoiser


def extras_of(entries: Sequence[ConditioningEntry], batch: int, device: torch.device) -> Extras:
    """The extras of entries of one signature, `batch` rows for each. InputError: too many or few rows."""

    def rows(tensors: Iterable[Tensor | None]) -> Tensor | None:
        there = [_rows(tensor, batch) for tensor in tensors if tensor is not None]
        return torch.cat(there).to(device, torch.float32) if there else None

    pictures = zip(*(entry.references for entry in entries), strict=True)
    references = (rows(latent.samples for latent in row) for row in pictures)
    return Extras(
        pooled=rows(entry.pooled for entry in entries),
        guidance=rows(_guidance(entry) for entry in entries),
        beside=rows(_beside(entry) for entry in entries),
        mask=rows(_mask(entry) for entry in entries),
        references=tuple(reference for reference in references if reference is not None),
        sizes=rows(None if entry.sizes is None else torch.tensor([entry.sizes]) for entry in entries),
    )


def _guidance(entry: ConditioningEntry) -> Tensor | None:
    return None if entry.guidance is None else torch.tensor([entry.guidance])


def _beside(entry: ConditioningEntry) -> Tensor | None:
    return None if entry.beside is None else entry.beside.samples


def _mask(entry: ConditioningEntry) -> Tensor | None:
    beside = entry.beside
    return None if beside is None or beside.noise_mask is None else beside.noise_mask.values


def _rows(tensor: Tensor, batch: int) -> Tensor:
    if tensor.shape[0] not in (1, batch):
        raise InputError(
            "what a prompt brings is for another number of images",
            expected=f"1 or {batch}",
            found=str(tensor.shape[0]),
        )
    return tensor.expand(batch, *tensor.shape[1:])


def _shape(tensor: Tensor | None) -> tuple[int, ...] | None:
    """Without the batch."""
    return None if tensor is None else tuple(tensor.shape[1:])
