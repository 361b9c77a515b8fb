"""`text.clip_skip`: take the words from an earlier layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodegraph import TextEncoder, node

Skipped = Annotated[
    int,
    Field(ge=0, le=31, description="0 takes the last layer, 1 the one before ('clip skip 2' elsewhere) …"),
]


@node("text.clip_skip", category="Text", title="Clip skip", lane="inline")
def clip_skip(encoder: TextEncoder, layers_skipped: Skipped = 1) -> TextEncoder:
    """Take CLIP's output some layers before the last, as the authors of some models advise.

    Without this node every family takes the layer that it was trained with: SD 1.x the last, SD 2.x and
    SDXL the one before.
    """
    return replace(encoder, layers_skipped=layers_skipped)
