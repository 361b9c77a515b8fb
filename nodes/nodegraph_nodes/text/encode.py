"""`text.encode`: a prompt as the denoiser sees it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodegraph import Conditioning, Context, TextEncoder, node

Prompt = Annotated[str, Field(description="what the picture shows", json_schema_extra={"multiline": True})]


@node("text.encode", category="Text", title="Encode text", lane="device")
def encode_text(ctx: Context, encoder: TextEncoder, text: Prompt = "") -> Conditioning:
    """Turn a prompt into conditioning. An empty prompt guides towards nothing in particular."""
    with ctx.models.use(encoder) as live:
        return Conditioning((live.encode(text),))
