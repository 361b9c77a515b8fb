"""`latent.from_batch`: some pictures of a batch, to be made alone and come out the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodegraph import Latent, node
from nodegraph.errors import InputError

Index = Annotated[int, Field(ge=0, le=4095, description="which picture comes first, counted from 0")]
Count = Annotated[int, Field(ge=1, le=4096, description="how many pictures")]


@node("latent.from_batch", category="Latent", title="Latent from batch", lane="inline")
def from_batch(latent: Latent, index: Index = 0, count: Count = 1) -> Latent:
    """Take some pictures of a batch. They keep their noise, so that each can be made again alone."""
    batch = latent.samples.shape[0]
    if index + count > batch:
        raise InputError(
            "the batch has no such pictures",
            input="index",
            expected=f"index + count up to {batch}",
            found=f"{index} + {count}",
        )
    mask = latent.noise_mask
    if mask is not None and mask.values.shape[0] == batch and batch > 1:
        mask = replace(mask, values=mask.values[index : index + count])
    return Latent(
        latent.samples[index : index + count],
        latent.format,
        mask,
        latent.indices[index : index + count],
    )
