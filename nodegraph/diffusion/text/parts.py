"""The text encoders of a family, and how their outputs become what the denoiser sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nodegraph.diffusion.text.embeddings import Embedding
from nodegraph.diffusion.text.prompt import Weighted, parse_prompt
from nodegraph.modelfiles.families.family import Encoder
from nodegraph.values import ConditioningEntry

CLIP_L_WIDTH, CLIP_G_WIDTH, T5_WIDTH, SD3_T5_LENGTH = 768, 1280, 4096, 77
"""The shapes of what stands for an encoder that is absent, where zeros may stand for it."""


class Encoded(NamedTuple):
    """What one encoder makes of a prompt: tokens [1,T,D] and pooled [1,P] or None, float32 on the CPU.

    On the CPU because values on edges are kept in caches, which must not hold a GPU's memory.
    """

    tokens: Tensor
    pooled: Tensor | None = None


class Part(Protocol):
    """One text encoder with its tokenizer and weights."""

    def encode(self, stretches: Sequence[Weighted], embeddings: Mapping[str, Embedding]) -> Encoded:
        """What it makes of a prompt that is read already, and may name embeddings."""
        ...


class PromptEncoder:
    """The encoders of a family together: satisfies `nodegraph.runtime.LiveTextEncoder`."""

    def __init__(
        self,
        encoders: Sequence[Encoder],
        parts: Mapping[str, Part],
        embeddings: Sequence[Embedding] = (),
    ) -> None:
        """encoders: what the family declares; parts: those of them that are there, by component."""
        self.encoders = encoders
        self.parts = parts
        self.embeddings = {embedding.name: embedding for embedding in embeddings}

    def encode(self, text: str) -> ConditioningEntry:
        """The prompt, read by the grammar of `nodegraph.diffusion.text.prompt`, as the family sees it."""
        stretches = parse_prompt(text)
        encoded = {
            component: part.encode(stretches, self.embeddings) for component, part in self.parts.items()
        }
        return join([encoder.component for encoder in self.encoders], encoded)


def may_be_absent(components: Sequence[str]) -> bool:
    """Whether zeros may stand for an encoder: the families with T5 were trained so."""
    return "t5xxl" in components


def join(components: Sequence[str], encoded: Mapping[str, Encoded]) -> ConditioningEntry:
    """The outputs of a family's encoders as one entry, by the encoders that the family has.

    CLIP alone: features side by side, as SDXL (Podell et al. 2023, section 2.1). CLIP-L, bigG and T5: as
    SD 3 (Esser et al. 2024, section 4). CLIP-L and T5: as FLUX.1. What is absent is zeros.
    """
    if "t5xxl" not in components:
        return _side_by_side([encoded[component] for component in components])
    return _sd3(encoded) if "clip_g" in components else _flux(encoded)


def _side_by_side(encoded: Sequence[Encoded]) -> ConditioningEntry:
    """Tokens joined on features, up to the shortest; pooled vectors of those that have one."""
    length = min(part.tokens.shape[1] for part in encoded)
    tokens = torch.cat([part.tokens[:, :length] for part in encoded], dim=-1)
    pooled = [part.pooled for part in encoded if part.pooled is not None]
    return ConditioningEntry(tokens, torch.cat(pooled, dim=-1) if pooled else None)


def _sd3(encoded: Mapping[str, Encoded]) -> ConditioningEntry:
    """CLIP's tokens side by side, filled with zeros to T5's width, then T5's; CLIP's pooled joined."""
    given = [encoded[component].tokens for component in ("clip_l", "clip_g") if component in encoded]
    length = min((tokens.shape[1] for tokens in given), default=SD3_T5_LENGTH)
    clip = [
        _or_zeros(encoded, component, width, length)
        for component, width in (("clip_l", CLIP_L_WIDTH), ("clip_g", CLIP_G_WIDTH))
    ]
    both = torch.cat([part.tokens[:, :length] for part in clip], dim=-1)
    t5 = _or_zeros(encoded, "t5xxl", max(T5_WIDTH, both.shape[-1]), SD3_T5_LENGTH).tokens
    tokens = torch.cat([F.pad(both, (0, t5.shape[-1] - both.shape[-1])), t5], dim=1)
    return ConditioningEntry(tokens, torch.cat([_pooled(part) for part in clip], dim=-1))


def _flux(encoded: Mapping[str, Encoded]) -> ConditioningEntry:
    """T5's tokens and CLIP-L's pooled vector."""
    tokens = _or_zeros(encoded, "t5xxl", T5_WIDTH, 256).tokens
    return ConditioningEntry(tokens, _pooled(_or_zeros(encoded, "clip_l", CLIP_L_WIDTH, 77)))


def _or_zeros(encoded: Mapping[str, Encoded], component: str, width: int, length: int) -> Encoded:
    if component in encoded:
        return encoded[component]
    return Encoded(torch.zeros(1, length, width), torch.zeros(1, width))


def _pooled(part: Encoded) -> Tensor:
    if part.pooled is None:
        raise ValueError("a text encoder of this family is declared without its pooled vector")
    return part.pooled
