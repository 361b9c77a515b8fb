"""T5's tokenizer: SentencePiece's unigram model, from `tokenizer.json` or `spiece.model`.

Both files hold the same pieces (Kudo 2018; Raffel et al. 2020) and give the same ids, but for the sentinels
of its training (`<extra_id_0>` …), which only `tokenizer.json` has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from nodegraph.errors import ModelFileError

PAD, END = 0, 1
_PAD, _END = "<pad>", "</s>"
_SPECIAL = re.compile(rf"({_PAD}|{_END}|<unk>)")
"""What a prompt may say of these itself: `tokenizer.json` takes them for tokens, and so it is everywhere."""
JSON, PIECES = "tokenizer.json", "spiece.model"
FILES = (JSON, PIECES)


class T5Tokenizer(Protocol):
    """Text to T5's ids."""

    def ids(self, text: str) -> list[int]:
        """The ids of a text, without the end token."""
        ...


class _FromJson:
    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()  # the file says how its pipeline cuts and pads; here the encoder does
        self._tokenizer.no_padding()
        self.special = (self._tokenizer.token_to_id(_PAD), self._tokenizer.token_to_id(_END))

    def ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return found


class _FromPieces:
    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self._processor = SentencePieceProcessor(model_proto=path.read_bytes())
        self.special = (self._processor.piece_to_id(_PAD), self._processor.piece_to_id(_END))

    def ids(self, text: str) -> list[int]:
        return [id_ for part in _SPECIAL.split(text) for id_ in self._part(part)]

    def _part(self, text: str) -> list[int]:
        found: list[int] = (
            [self._processor.piece_to_id(text)] if _SPECIAL.fullmatch(text) else self._processor.encode(text)
        )
        return found


def read_t5_tokenizer(path: Path) -> T5Tokenizer | None:
    """The tokenizer in a file; None if it is another model's (SD 3's `tokenizer_2` is CLIP's).

    ModelFileError: the file cannot be used.
    """
    kind: Callable[[Path], _FromJson | _FromPieces] = _FromPieces if path.suffix == ".model" else _FromJson
    try:
        found = kind(path)
    except Exception as error:  # the libraries raise nothing narrower
        raise ModelFileError(
            f"the tokenizer '{path}' cannot be used: {error}",
            code="tokenizer_damaged",
            remedy=f"Copy {path.name} again.",
        ) from error
    return found if found.special == (PAD, END) else None


def first_t5_tokenizer(places: Sequence[Path]) -> T5Tokenizer | None:
    """The first of T5's tokenizers in these files or folders. ModelFileError: one of them is damaged."""
    for place in places:
        for path in [place] if place.is_file() else [place / name for name in FILES]:
            if path.is_file() and (found := read_t5_tokenizer(path)) is not None:
                return found
    return None
