"""Embeddings that a prompt names: `embedding:NAME` stands for a file of that name among the embeddings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nodegraph import Context, TextEncoder
from nodegraph.errors import InputError
from nodegraph.modelfiles.kinds import PICKLES
from nodegraph.values import Patch

KIND = "embeddings"
ENDINGS = ("", ".safetensors", *PICKLES)
"""What may be left off a name, in the order in which it is tried."""
_MENTION = re.compile(r"(?:^|[\s(])embedding:([^\s,():]+)")


def mentioned(params: Mapping[str, Any]) -> Sequence[Sequence[tuple[str, str]]]:
    """For every embedding that the text names, the (kind, name) pairs that it may stand for."""
    return [[(KIND, word + ending) for ending in ENDINGS] for word in words_in(str(params.get("text", "")))]


def words_in(text: str) -> list[str]:
    """The names of the embeddings in a prompt, each once."""
    return list(dict.fromkeys(_MENTION.findall(text)))


def taught(ctx: Context, encoder: TextEncoder, text: str) -> TextEncoder:
    """The encoder with the words of this prompt that files stand for, where it does not know them already.

    InputError: a file may run code when it is opened, so its use has to be allowed.
    """
    known = {patch.get("name") for patch in encoder.patches if patch.kind == "embedding"}
    there = {name for kind, name in ctx.mentioned if kind == KIND}
    for word in words_in(text):
        name = next((word + ending for ending in ENDINGS if word + ending in there), None)
        if name is None or word in known:
            continue
        if name.lower().endswith(PICKLES):
            raise InputError(
                f"the embedding '{name}' is a pickle, which may run code when it is opened",
                code="embedding_pickled", input="text", expected="a .safetensors file",
                remedy="Load it with load.embedding and allow it there, or convert it.",
            )  # fmt: skip
        file = ctx.files.get(KIND, name)
        encoder = encoder.patched(Patch.of("embedding", name=word, file=file.hash, pickle=False))
    return encoder
