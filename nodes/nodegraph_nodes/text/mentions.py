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

    InputError: there is no such file, it is a pickle, or the prompt came through a link.
    """
    known = {patch.get("name") for patch in encoder.patches if patch.kind == "embedding"}
    there = {name for kind, name in ctx.mentioned if kind == KIND}
    for word in words_in(text):
        if word in known or word.rstrip(",") in known:
            continue
        name = next((word + ending for ending in ENDINGS if word + ending in there), None)
        if name is None:
            raise _not_there(ctx, word)
        if name.lower().endswith(PICKLES):
            raise InputError(
                f"the embedding '{name}' is a pickle, which may run code when it is opened",
                code="embedding_pickled", input="text", expected="a .safetensors file",
                remedy="If you trust it, convert it: nodegraph models convert "
                f"{ctx.files.path(ctx.files.get(KIND, name))}",
            )  # fmt: skip
        encoder = encoder.patched(Patch.of("embedding", name=word, file=ctx.files.get(KIND, name).hash))
    return encoder


def _not_there(ctx: Context, word: str) -> InputError:
    """Why a word stands for no file: there is none, or the plan could not see that the prompt names it."""
    remedy = ""
    for ending in ENDINGS:
        try:
            ctx.files.get(KIND, word + ending)
        except InputError as error:
            remedy = remedy or error.problem.remedy or ""
            continue
        return InputError(
            f"the prompt came through a link and names the embedding '{word}', which the plan could not know",
            code="embedding_linked", input="text",
            remedy="Teach the encoder the word with load.embedding, or write the prompt into this node.",
        )  # fmt: skip
    return InputError(
        f"there is no embedding '{word}'", code="embedding_missing", input="text",
        found=f"'embedding:{word}'",
        remedy=f"{remedy} Put its file into the embeddings folder, or use load.embedding for it.".strip(),
    )  # fmt: skip
