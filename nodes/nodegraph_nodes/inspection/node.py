"""`value.inspect`: what a value is, for people."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from nodegraph import Context, Latent, Model, node
from nodegraph_nodes.inspection.words import words_of

T = TypeVar("T")
Colours = Annotated[
    Model | None, Field(description="the model of a latent: it is shown in the colours of its pictures")
]


@node("value.inspect", category="Value", title="Inspect", output=True)
def inspect_value(ctx: Context, value: T, model: Colours = None) -> str:
    """Say in words what a value is, with shapes and numbers, and show it where it has a picture."""
    from nodegraph_nodes.inspection.pictures import picture_of

    draw = ctx.models.previewer(model) if model is not None and isinstance(value, Latent) else None
    picture = picture_of(value, draw)
    if picture is not None:
        ctx.show(picture)
    return "\n".join(words_of(value))
