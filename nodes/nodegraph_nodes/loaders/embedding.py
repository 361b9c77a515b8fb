"""`load.embedding`: a learned word for prompts."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from nodegraph import Context, File, TextEncoder, node
from nodegraph.values import Patch

EmbeddingName = Annotated[str, File("embeddings")]
Word = Annotated[str, Field(description="what prompts call it; empty: the file's name without its ending")]

Consent = Annotated[
    bool, Field(description="open a .pt or .bin file, by torch's loader that makes tensors alone")
]


@node("load.embedding", category="Load", title="Load embedding", lane="io")
def load_embedding(
    ctx: Context,
    text_encoder: TextEncoder,
    file: EmbeddingName,
    name: Word = "",
    allow_pickle: Consent = False,
) -> TextEncoder:
    """Teach a text encoder a word by textual inversion: prompts then name it as `embedding:name`.

    Weights count for it as for any word. Whether it fits the encoder shows when a prompt names it.
    """
    from nodegraph.modelfiles.kinds import PICKLES
    from nodegraph.modelfiles.safetensors_header import read_header

    base = ctx.files.get("embeddings", file)
    pickle = allow_pickle and file.lower().endswith(PICKLES)
    if not pickle:
        read_header(ctx.files.path(base))  # damaged and foreign files are told of here
    word = name or PurePosixPath(file.replace("\\", "/")).stem
    return text_encoder.patched(Patch.of("embedding", name=word, file=base.hash, pickle=pickle))
