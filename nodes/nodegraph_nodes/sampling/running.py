"""What every node that samples does around the sampler: previews, progress, live weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nodegraph import Conditioning, Context, Latent, Model
from nodegraph.values import ConditioningEntry

if TYPE_CHECKING:
    from torch import Tensor


def step_reporter(ctx: Context, model: Model) -> Callable[[int, int, Tensor], None]:
    """Called after every step with index, count and x0: reports progress and draws previews.

    To be made before the denoiser takes its room: the first time, previews need the VAE for a moment.
    """
    draw = ctx.models.previewer(model) if ctx.watched else None
    if ctx.watched and draw is None:
        ctx.log.info("no previews: the file of the model has no VAE that would tell the colours")

    def on_step(step: int, total: int, x0: Tensor) -> None:
        ctx.progress(step + 1, total, None if draw is None else partial(draw, x0))

    return on_step


def parts_of(ctx: Context, latent: Latent, prompts: Sequence[Conditioning]) -> list[Latent]:
    """A batch in one piece, or picture by picture where memory has run out already.

    Each picture is the same alone as in its batch. A batch whose prompts hold something for each of its
    pictures stays in one piece.
    """
    from nodegraph_nodes.latent.batch import from_batch

    if not ctx.tight or not all(_serves_any(entry) for prompt in prompts for entry in prompt.entries):
        return [latent]
    return [from_batch(latent, index) for index in range(latent.samples.shape[0])]


def joined(parts: Sequence[Latent], whole: Latent) -> Latent:
    """Pictures that were sampled one by one as the batch that they were."""
    if len(parts) == 1:
        return parts[0]
    import torch

    return Latent(
        torch.cat([part.samples for part in parts]), parts[0].format, whole.noise_mask, whole.indices
    )


def _serves_any(entry: ConditioningEntry) -> bool:
    """Whether the entry says the same of every picture of a batch."""
    pictures = [*entry.references, *([entry.beside] if entry.beside is not None else [])]
    masks = entry.mask.values.shape[0] if entry.mask is not None else 1
    return entry.tokens.shape[0] == 1 and masks == 1 and all(one.samples.shape[0] == 1 for one in pictures)
