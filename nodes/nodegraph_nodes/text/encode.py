"""`text.encode`: a prompt as the denoiser sees it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodegraph import Conditioning, Context, TextEncoder, node
from nodegraph_nodes.text.mentions import mentioned, taught

Prompt = Annotated[str, Field(description="what the picture shows", json_schema_extra={"multiline": True})]


@node("text.encode", version=2, category="Text", title="Encode text", lane="device", mentions=mentioned)
def encode_text(ctx: Context, encoder: TextEncoder, text: Prompt = "") -> Conditioning:
    """Turn a prompt into conditioning. An empty prompt guides towards nothing in particular.

    (text) gives a part more weight, (text:1.2) exactly that weight; \\( and \\) are brackets that are text.
    A long prompt is encoded in several chunks. embedding:NAME stands for a learned word: a file among the
    embeddings (with or without its ending), or one that the encoder was taught by load.embedding.
    """
    with ctx.models.use(taught(ctx, encoder, text)) as live:
        return Conditioning((live.encode(text),))
