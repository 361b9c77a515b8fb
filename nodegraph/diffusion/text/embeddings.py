"""Textual inversion (Gal et al. 2022): learned vectors that stand for words, in all forms of their files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from nodegraph.errors import InputError

KIND = "embedding"
"""The kind of a patch that gives a text encoder a learned word: parameters `name` and `file`."""

MARK = "embedding:"
_BEFORE_MARK = re.compile(rf"[ \n](?={MARK})")
_BUNDLED = re.compile(r"bundle_emb\.(?P<word>.+)\.(?P<rest>clip_[lgh]|string_to_param\.[^.]+|emb_params)$")


@dataclass(frozen=True, eq=False, slots=True)
class Embedding:
    """A learned word: the tensors of its file, and what people call it."""

    name: str
    tensors: Mapping[str, Tensor]

    def vectors(self, component: str, width: int) -> Tensor:
        """Its vectors [n, width] for one encoder.

        The forms: a tensor for each encoder (`clip_l`, `clip_g`); `emb_params`; `string_to_param.*`; one
        bare tensor; any of these under `bundle_emb.NAME.` inside a LoRA. InputError: the file holds none
        for the encoder, or one of another width.
        """
        tensors = self._own()
        found = tensors.get(component, tensors.get("emb_params"))
        if found is None and not any(name.startswith("clip_") for name in tensors):
            named = [name for name in tensors if name.startswith("string_to_param")]
            picks = named or list(tensors)
            found = tensors[picks[0]] if len(picks) == 1 else None
        if found is None or found.ndim not in (1, 2):
            raise InputError(
                f"the embedding '{self.name}' has no vectors for this text encoder",
                code="embedding_misfit",
                expected=f"'{component}', 'emb_params', 'string_to_param.*' or a single tensor",
                found=", ".join(sorted(tensors)[:3]) or "no tensors",
                remedy="Use an embedding that was made for this family of models.",
            )
        rows = found.float().reshape(-1, found.shape[-1])
        if rows.shape[1] != width:
            raise InputError(
                f"the embedding '{self.name}' does not fit this text encoder",
                code="embedding_misfit",
                expected=f"vectors of width {width}",
                found=f"vectors of width {rows.shape[1]}",
                remedy="Use an embedding that was made for this family of models.",
            )
        return rows

    def _own(self) -> Mapping[str, Tensor]:
        """The tensors of this word: those of the file, or, in a bundle, those under the word's name."""
        matches = [match for name in self.tensors if (match := _BUNDLED.match(name))]
        words = {match["word"] for match in matches}
        if not words:
            return self.tensors
        word = min(words) if len(words) == 1 else self.name
        return {match["rest"]: self.tensors[match.string] for match in matches if match["word"] == word}


def pieces(text: str, known: Sequence[str]) -> list[tuple[str, str | None]]:
    """A stretch of a prompt cut at its `embedding:NAME`s: (text, None) and ("", NAME) in order.

    A mark counts at the beginning and after a blank or a new line. A comma after the name is text where no
    embedding has it in its name. InputError: nobody has given an embedding of that name.
    """
    found: list[tuple[str, str | None]] = []
    for part in _BEFORE_MARK.split(text):
        if not part.startswith(MARK):
            found.append((part, None))
            continue
        word, blank, rest = part.removeprefix(MARK).strip("\n").partition(" ")
        name = word if word in known else word.rstrip(",")
        if name not in known:
            raise InputError(
                f"there is no embedding '{name}'",
                code="embedding_missing",
                input="text",
                expected=f"one of {', '.join(known)}" if known else "the encoder has no embeddings",
                found=f"'{MARK}{word}'",
                remedy="Put its file into the embeddings folder, or use load.embedding for it.",
            )
        found.append(("", name))
        found.append((word[len(name) :] + blank + rest, None))
    return [(part, name) for part, name in found if part or name is not None]
