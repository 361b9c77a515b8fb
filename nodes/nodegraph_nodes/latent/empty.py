"""`latent.empty`: where text to image starts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodegraph import Latent, node
from nodegraph.values import SD1_LATENT

Side = Annotated[int, Field(ge=16, le=16384, multiple_of=8, description="pixels, a multiple of 8")]
Batch = Annotated[int, Field(ge=1, le=4096, description="how many pictures")]


@node("latent.empty", category="Latent", title="Empty latent")
def empty(width: Side = 512, height: Side = 512, batch: Batch = 1) -> Latent:
    """Make an empty latent for pictures of this size."""
    import torch

    down = SD1_LATENT.down
    return Latent(torch.zeros(batch, SD1_LATENT.channels, height // down, width // down), SD1_LATENT)
