"""`load.embedding`: a learned word for prompts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field

from nodegraph import Context, File, TextEncoder, node
from nodegraph.hookspecs import NodeMigration
from nodegraph.values import Patch

EmbeddingName = Annotated[str, File("embeddings")]
Word = Annotated[str, Field(description="what prompts call it; empty: the file's name without its ending")]


@node("load.embedding", version=2, category="Load", title="Load embedding", lane="io")
def load_embedding(
    ctx: Context,
    text_encoder: TextEncoder,
    file: EmbeddingName,
    name: Word = "",
) -> TextEncoder:
    """Teach a text encoder a word by textual inversion: prompts then name it as `embedding:name`.

    Weights count for it as for any word. Whether it fits the encoder shows when a prompt names it.
    """
    from nodegraph.modelfiles.safetensors_header import read_header

    base = ctx.files.get("embeddings", file)
    read_header(ctx.files.path(base))  # damaged and foreign files, pickles among them, are told of here
    word = name or PurePosixPath(file.replace("\\", "/")).stem
    return text_encoder.patched(Patch.of("embedding", name=word, file=base.hash))


def _without_consent(inputs: dict[str, Any]) -> Mapping[str, Any]:
    """No workflow may consent to a pickle any more: whoever trusts one converts it."""
    return {name: value for name, value in inputs.items() if name != "allow_pickle"}


MIGRATIONS = (NodeMigration("load.embedding", 1, inputs=_without_consent),)
