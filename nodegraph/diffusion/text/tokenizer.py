"""CLIP's byte-level BPE tokenizer, from the vocabulary that travels in a model file's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from nodegraph.diffusion.text.chunks import Frame
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import TOKENIZER_KEYS

START, END = "<|startoftext|>", "<|endoftext|>"
SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""Pieces that never merge with each other (Radford et al. 2021, the released `simple_tokenizer`)."""


class TextTokenizer(Protocol):
    """What an encoder asks of a tokenizer: ids of a text, and the tokens around them in a chunk."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def length(self) -> int:
        """Tokens of a chunk, start and end included."""
        ...

    @property
    def vocabulary_size(self) -> int: ...

    def ids(self, text: str) -> list[int]:
        """The token ids of a text, without start and end; brackets and numbers in it mean nothing here."""
        ...

    def frame(self, *, pad_with_end: bool = True) -> Frame:
        """The layout of a chunk; the encoders differ in whether they pad with the end token or with 0."""
        ...


class ClipTokenizer:
    """Turns a text into token ids, and knows the tokens around them in a chunk of `length`.

    vocabulary: token -> id; merges: pairs in order of priority. ValueError where they do not make a
    tokenizer.
    """

    def __init__(
        self, vocabulary: Mapping[str, int], merges: list[tuple[str, str]], length: int = 77
    ) -> None:
        missing = [token for token in (START, END) if token not in vocabulary]
        if missing:
            raise ValueError(f"the vocabulary lacks {' and '.join(missing)}")
        self.start, self.end, self.length = vocabulary[START], vocabulary[END], length
        self.vocabulary_size = max(vocabulary.values()) + 1
        try:
            model = models.BPE(
                vocab=dict(vocabulary),
                merges=merges,
                continuing_subword_prefix="",
                end_of_word_suffix="</w>",
                unk_token=END,
            )
        except Exception as error:  # the library raises nothing narrower for a bad merge
            raise ValueError(f"the merges do not fit the vocabulary: {error}") from error
        self._bpe = Tokenizer(model)
        self._bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        self._bpe.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )

    def ids(self, text: str) -> list[int]:
        """The token ids of a text, without start and end."""
        return self._bpe.encode(text).ids

    def frame(self, *, pad_with_end: bool = True) -> Frame:
        return Frame(self.start, self.end, self.end if pad_with_end else 0, self.length)


def tokenizer_from_metadata(metadata: Mapping[str, str], path: Path, length: int = 77) -> ClipTokenizer:
    """The tokenizer in a checkpoint's metadata: `tokenizer.vocab` (JSON) and `tokenizer.merges` (lines).

    ModelFileError where the file has none, or a damaged one.
    """
    if any(key not in metadata for key in TOKENIZER_KEYS):
        raise ModelFileError(
            f"{path} has no tokenizer",
            code="tokenizer_missing",
            expected=" and ".join(f"'{key}'" for key in TOKENIZER_KEYS) + " in the file's metadata",
            remedy="Use a checkpoint that carries its tokenizer, or add CLIP's vocab.json and merges.txt "
            "to the metadata of this one under those names.",
        )
    try:
        return ClipTokenizer(*parse_tokenizer(*(metadata[key] for key in TOKENIZER_KEYS)), length)
    except ValueError as error:
        raise ModelFileError(
            f"the tokenizer in {path} is damaged: {error}",
            code="tokenizer_damaged",
            remedy="Get the file from another source.",
        ) from error


def parse_tokenizer(vocab: str, merges: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """CLIP's `vocab.json` and `merges.txt` as texts -> vocabulary and merges. ValueError if malformed."""
    vocabulary = json.loads(vocab)
    if not isinstance(vocabulary, dict) or not all(
        type(value) is int and value >= 0 for value in vocabulary.values()
    ):
        raise ValueError("the vocabulary is not a table of token ids")
    pairs: list[tuple[str, str]] = []
    for line in merges.splitlines():
        if not line or line.startswith("#version"):
            continue
        first, separator, second = line.partition(" ")
        if not separator or not second or " " in second:
            raise ValueError(f"the merge '{line}' is no pair")
        pairs.append((first, second))
    return vocabulary, pairs
