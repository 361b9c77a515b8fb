"""Embeddings that a prompt names: `embedding:NAME` stands for a file of that name among the embeddings."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nodegraph import Context, TextEncoder
from nodegraph.errors import InputError
from nodegraph.modelfiles.foreign import convert_command
from nodegraph.modelfiles.kinds import PICKLES
from nodegraph.values import Patch

KIND = "embeddings"
ENDINGS = ("", ".safetensors", *PICKLES)
"""What may be left off a name, in the order in which it is tried."""
_MENTION = re.compile(r"(?:^|[\s(])embedding:([^\s,():]+)")


def mentioned(params: Mapping[str, Any]) -> Sequence[Sequence[tuple[str, str]]]:
    """For every embedding that the text names, the (kind, name) pairs that it may stand for."""
    return [[(KIND, name) for name in _names(word)] for word in words_in(str(params.get("text", "")))]


def words_in(text: str) -> list[str]:
    """The names of the embeddings in a prompt, each once."""
    return list(dict.fromkeys(_MENTION.findall(text)))


def _names(word: str) -> Sequence[str]:
    """The files that a word may stand for. What was made of a pickle stands for it, too."""
    stem, _, ending = word.rpartition(".")
    made = (f"{stem}.safetensors",) if f".{ending}".lower() in PICKLES else ()
    return (*made, *(word + ending for ending in ENDINGS))


def taught(ctx: Context, encoder: TextEncoder, text: str) -> TextEncoder:
    """The encoder with the words of this prompt that files stand for, where it does not know them already.

    InputError: there is no such file, it is a pickle, or the prompt came through a link.
    """
    known = {patch.get("name") for patch in encoder.patches if patch.kind == "embedding"}
    there = {name for kind, name in ctx.mentioned if kind == KIND}
    for word in words_in(text):
        if word in known or word.rstrip(",") in known:
            continue
        name = next((name for name in _names(word) if name in there), None)
        if name is None:
            raise _not_there(ctx, word, known)
        if name.lower().endswith(PICKLES):
            raise InputError(
                f"the embedding '{name}' is a pickle, which may run code when it is opened",
                code="embedding_pickled", input="text", expected="a .safetensors file",
                remedy="If you trust it, convert it: "
                + convert_command(ctx.files.path(ctx.files.get(KIND, name))),
            )  # fmt: skip
        encoder = encoder.patched(Patch.of("embedding", name=word, file=ctx.files.get(KIND, name).hash))
    return encoder


def _not_there(ctx: Context, word: str, known: Collection[str]) -> InputError:
    """Why a word stands for no file: there is none, or the plan could not see that the prompt names it."""
    remedy = ""
    for name in _names(word):
        try:
            ctx.files.get(KIND, name)
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
        expected=f"a file, or a word that the encoder was taught: {', '.join(sorted(known)) or 'none'}",
        found=f"'embedding:{word}'",
        remedy=f"{remedy} Put its file into the embeddings folder, or use load.embedding for it.".strip(),
    )  # fmt: skip
