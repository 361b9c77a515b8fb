"""What a denoiser makes of one noisy latent under several prompts, in as few calls as there are sizes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import torch
from torch import Tensor

from nodegraph.diffusion.extras import conditioned, signature
from nodegraph.diffusion.guidance.parts import Part, parts_of
from nodegraph.errors import InputError
from nodegraph.runtime import LiveDenoiser
from nodegraph.values import Conditioning


class Predictor:
    """Clean estimates by prompt name.

    Entries of one prompt are averaged by their weights: strength, mask, feathered area. What no entry
    covers is 0, the mean of all pictures.
    """

    def __init__(
        self, denoiser: LiveDenoiser, prompts: Mapping[str, Conditioning], like: Tensor, down: int = 8
    ) -> None:
        """like: latents [B,C,h,w] on the denoiser's device.

        InputError: a prompt without entries, encoded by another encoder than the rest, for another number
        of images, or for an area outside the picture.
        """
        self._denoiser = denoiser
        self._batch = like.shape[0]
        self._parts = {
            name: parts_of(prompt, name, like, down, denoiser.noising) for name, prompt in prompts.items()
        }
        self._stacks: dict[tuple[int, ...], tuple[LiveDenoiser, Tensor]] = {}
        for parts in self._parts.values():
            for part in parts:
                _check_count(part.entry.tokens, self._batch)
        _check_widths([part.entry.tokens for parts in self._parts.values() for part in parts])

    def knows(self, names: Sequence[str]) -> bool:
        """Whether it has all these prompts."""
        return self._parts.keys() >= set(names)

    def __call__(self, x: Tensor, sigma: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """x0 [B,C,h,w] for each of the named prompts; x [B,C,h,w], sigma 0-dimensional."""
        level = float(sigma)
        active = {name: [part for part in self._parts[name] if part.active(level)] for name in names}
        everything = [part for parts in active.values() for part in parts]
        groups: dict[Hashable, list[Part]] = {}
        for part in everything:
            groups.setdefault((part.box[2:], signature(part.entry)), []).append(part)
        made: dict[int, Tensor] = {}
        for parts in groups.values():
            made |= zip(map(id, parts), self._ask(x, sigma, parts), strict=True)
        return {name: _merged(x, parts, made) for name, parts in active.items()}

    def _ask(self, x: Tensor, sigma: Tensor, parts: Sequence[Part]) -> Sequence[Tensor]:
        """One call for parts of one size and with extras of the same shapes: [B,C,h,w] for each."""
        rows = len(parts) * self._batch
        level = sigma.to(x.device, torch.float32).expand(rows)
        if all(part.whole for part in parts):
            seen = x.repeat(len(parts), 1, 1, 1)
        else:
            seen = torch.cat([part.box.cut(x) for part in parts])
        denoiser, tokens = self._ready(parts)
        predicted = denoiser.denoise(seen, level, tokens)
        return predicted.view(len(parts), self._batch, *predicted.shape[1:]).unbind(0)

    def _ready(self, parts: Sequence[Part]) -> tuple[LiveDenoiser, Tensor]:
        """The denoiser with the extras of these parts, and their tokens: stacked once for a run."""
        key = tuple(map(id, parts))
        if key not in self._stacks:
            entries = [part.entry for part in parts]
            stacked = stack([entry.tokens for entry in entries], self._batch)
            told = conditioned(self._denoiser, entries, self._batch)
            self._stacks[key] = (told, stacked.to(self._denoiser.device))
        return self._stacks[key]


def _merged(x: Tensor, parts: Sequence[Part], made: Mapping[int, Tensor]) -> Tensor:
    """The average of the predictions by weight."""
    if len(parts) == 1 and parts[0].whole and isinstance(parts[0].weight, float):
        return made[id(parts[0])]
    total, weights = torch.zeros_like(x), torch.zeros_like(x[:, :1])
    for part in parts:
        part.box.cut(total).add_(made[id(part)] * part.weight)
        part.box.cut(weights).add_(part.weight)
    return torch.where(weights == 0, total, total / torch.where(weights == 0, 1.0, weights))


def stack(entries: Sequence[Tensor], batch: int) -> Tensor:
    """Token tensors [1 or batch, T, D] -> [entries * batch, T', D] with one length for all.

    Lengths are brought to their least common multiple by repetition. Attention over keys that all occur
    equally often is the attention over each once, so this changes nothing, unlike padding.
    """
    length = math.lcm(*(entry.shape[1] for entry in entries))
    return torch.cat(
        [entry.repeat(1, length // entry.shape[1], 1).expand(batch, -1, -1) for entry in entries]
    )


def _check_widths(entries: Sequence[Tensor]) -> None:
    widths = {entry.shape[-1] for entry in entries}
    if len(widths) > 1:
        raise InputError(
            "the prompts were encoded by different text encoders",
            found=f"token widths {', '.join(str(width) for width in sorted(widths))}",
            remedy="Encode the positive and the negative text with the same encoder.",
        )


def _check_count(tokens: Tensor, batch: int) -> None:
    if tokens.shape[0] not in (1, batch):
        raise InputError(
            "the number of encoded texts fits neither one nor the number of images",
            expected=f"1 or {batch}",
            found=str(tokens.shape[0]),
        )
