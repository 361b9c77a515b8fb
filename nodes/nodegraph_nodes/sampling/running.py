"""What every node that samples does around the sampler: previews, progress, live weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nodegraph import Context, Model

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
