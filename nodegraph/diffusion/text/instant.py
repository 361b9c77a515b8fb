"""CLIP's tokenizer from the package `instant-clip-tokenizer`, which carries the vocabulary."""

from __future__ import annotations

import unicodedata
from typing import Any

from nodegraph.diffusion.text.chunks import Frame

VOCABULARY_SIZE = 49408


class InstantTokenizer:
    """A tokenizer of that package: satisfies `nodegraph.diffusion.text.tokenizer.TextTokenizer`."""

    def __init__(self, tokenizer: Any, vocabulary_size: int = VOCABULARY_SIZE, length: int = 77) -> None:
        """tokenizer: an `instant_clip_tokenizer.Tokenizer`; the package publishes no types."""
        self._tokenizer = tokenizer
        self.start: int = tokenizer.start_of_text()
        self.end: int = tokenizer.end_of_text()
        self.length = length
        self.vocabulary_size = vocabulary_size

    def ids(self, text: str) -> list[int]:
        """The token ids of a text, without start and end."""
        # The package lowers letters and splits as CLIP does, but composes no characters.
        return list(self._tokenizer.encode(unicodedata.normalize("NFC", text).lower()))

    def frame(self, *, pad_with_end: bool = True) -> Frame:
        return Frame(self.start, self.end, self.end if pad_with_end else 0, self.length)


def installed_tokenizer(length: int = 77) -> InstantTokenizer | None:
    """The package's own tokenizer, with CLIP's vocabulary. None where it is not installed."""
    try:
        from instant_clip_tokenizer import Tokenizer
    except ImportError:
        return None
    return InstantTokenizer(Tokenizer(), length=length)
