"""Classifier-free guidance: what the positive and the negative prompt make of one noisy latent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nodegraph.errors import InputError
from nodegraph.runtime import LiveDenoiser
from nodegraph.values import Conditioning

Denoise = Callable[[Tensor, Tensor], Tensor]
"""x [B,C,h,w] and a 0-dimensional sigma -> x0 [B,C,h,w]."""


def guided(
    denoiser: LiveDenoiser, positive: Conditioning, negative: Conditioning, cfg: float, batch: int
) -> Denoise:
    """A denoiser of (x, sigma) that follows the prompts: negative + cfg * (positive - negative).

    Ho & Salimans 2022, "Classifier-Free Diffusion Guidance". Entries of one prompt are averaged. Every
    prediction of a step is made in one batch. At cfg 1 the negative prompt has no effect and is skipped.
    InputError: a prompt has no entry, or as many token batches as fit neither one nor `batch` images.
    """
    skip_negative = math.isclose(cfg, 1.0)
    prompts = [_entries(positive, "positive")]
    if not skip_negative:
        prompts.append(_entries(negative, "negative"))
    tokens = _stack([entry for prompt in prompts for entry in prompt], batch).to(denoiser.device)
    counts = [len(prompt) for prompt in prompts]
    total = sum(counts)

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        level = sigma.to(x.device, torch.float32).expand(total * batch)
        predictions = denoiser.denoise(x.repeat(total, 1, 1, 1), level, tokens)
        grouped = predictions.view(total, batch, *x.shape[1:])
        wanted = grouped[: counts[0]].mean(0)
        if skip_negative:
            return wanted
        unwanted = grouped[counts[0] :].mean(0)
        return unwanted + cfg * (wanted - unwanted)

    return denoise


def _entries(prompt: Conditioning, name: str) -> list[Tensor]:
    if not prompt.entries:
        raise InputError(f"the {name} prompt is empty", input=name, expected="at least one encoded text")
    return [entry.tokens for entry in prompt.entries]


def _stack(entries: Sequence[Tensor], batch: int) -> Tensor:
    """Token tensors [1 or batch, T, D] -> [entries * batch, T', D] with one length for all.

    Lengths are brought to their least common multiple by repetition. Attention over keys that all occur
    equally often is the attention over each once, so this changes nothing, unlike padding.
    """
    widths = {entry.shape[-1] for entry in entries}
    if len(widths) > 1:
        raise InputError(
            "the prompts were encoded by different text encoders",
            found=f"token widths {', '.join(str(width) for width in sorted(widths))}",
            remedy="Encode the positive and the negative text with the same encoder.",
        )
    length = math.lcm(*(entry.shape[1] for entry in entries))
    rows: list[Tensor] = []
    for entry in entries:
        if entry.shape[0] not in (1, batch):
            raise InputError(
                "the number of encoded texts fits neither one nor the number of images",
                expected=f"1 or {batch}",
                found=str(entry.shape[0]),
            )
        repeated = entry.repeat(1, length // entry.shape[1], 1)
        rows.append(repeated.expand(batch, -1, -1))
    return torch.cat(rows)
