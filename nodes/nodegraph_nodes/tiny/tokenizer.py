"""The model's own tokenizer: CLIP's byte-level BPE with a vocabulary of 1,024, trained on scene captions.

The vocabulary is 256 byte characters, the same 256 with the end-of-word mark ``</w>``, learned merges, unused
fillers (a fine-tune may claim them) and the two special tokens last, as in CLIP. Every scene word is one
token, and any text encodes without unknown tokens. The same ids come from ``transformers.CLIPTokenizer`` with
the two files.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodegraph.diffusion.text.chunks import Token
from nodegraph.diffusion.text.tokenizer import END, SPLIT, START, ClipTokenizer
from nodegraph_nodes.tiny.captions import caption
from nodegraph_nodes.tiny.heldout import training_scenes

if TYPE_CHECKING:
    import tokenizers

VOCABULARY_SIZE = 1024
CONTEXT_LENGTH = 77
SUFFIX = "</w>"

#: Words that no caption has but people type, so that they do not fall apart into letters.
_EXTRA_WORDS = (
    "a photo of painting cat dog house tree sun moon sky sea night day light dark bright soft best quality "
    "low bad blurry worst ugly masterpiece detailed colorful simple flat minimal icon shape shapes pattern "
    "two three one the in at with and of on over under inside outside thin thick outline outlined glowing "
    "neon beautiful nice new old pixel art style"
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens in id order and merges in order of rank: the content of ``vocab.json`` and ``merges.txt``."""

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]

    def vocab_json(self) -> str:
        """The text of ``vocab.json``."""
        return json.dumps({token: index for index, token in enumerate(self.tokens)}, ensure_ascii=False)

    def merges_text(self) -> str:
        """The text of ``merges.txt``, with CLIP's version line."""
        return "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in self.merges)

    @classmethod
    def parse(cls, vocab_json: str, merges_text: str) -> Vocabulary:
        """Read the texts back."""
        ids: dict[str, int] = json.loads(vocab_json)
        lines = [line for line in merges_text.splitlines()[1:] if line]
        pairs = [line.split(" ") for line in lines]
        return cls(tuple(sorted(ids, key=ids.__getitem__)), tuple((a, b) for a, b in pairs))


def _pipeline(tokenizer: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """CLIP's normalisation (NFC, single blanks, lower case) and its split into words and bytes."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def training_captions(count: int = 20_000, first_seed: int = 10_000_000) -> Iterator[str]:
    """Captions of training scenes, and after them the extra words, often enough to earn merges."""
    rng = random.Random(first_seed)
    for _, scene in zip(range(count), training_scenes(first_seed), strict=False):
        yield caption(scene, rng)
    for _ in range(200):
        yield _EXTRA_WORDS


def train_vocabulary(texts: Iterable[str]) -> Vocabulary:
    """Learn the merges from texts and lay the vocabulary out as CLIP does.

    The trainer of ``tokenizers`` adds only those end-of-word characters that it saw; here all 512 byte tokens
    come first, and a merge is kept if both of its parts exist.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    learner = _pipeline(Tokenizer(models.BPE(end_of_word_suffix=SUFFIX)))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE + 200,
        initial_alphabet=alphabet,
        end_of_word_suffix=SUFFIX,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = json.loads(learner.to_str())["model"]["merges"]
    tokens = alphabet + [character + SUFFIX for character in alphabet]
    known = set(tokens)
    merges: list[tuple[str, str]] = []
    for entry in learned:
        first, second = entry.split(" ") if isinstance(entry, str) else entry
        if len(tokens) == VOCABULARY_SIZE - 2:
            break
        if first in known and second in known:
            merges.append((first, second))
            if first + second not in known:
                known.add(first + second)
                tokens.append(first + second)
    fillers = VOCABULARY_SIZE - 2 - len(tokens)
    tokens += [f"<|unused{index}|>" for index in range(fillers)]
    return Vocabulary((*tokens, START, END), tuple(merges))


class CaptionTokenizer:
    """Text to the encoder's 77 ids: start, at most 75 tokens, end, and ends as padding (as SD 1.x)."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        ids = {token: index for index, token in enumerate(vocabulary.tokens)}
        self.clip = ClipTokenizer(ids, list(vocabulary.merges), CONTEXT_LENGTH)
        self.start, self.end = self.clip.start, self.clip.end

    def words(self, text: str) -> list[int]:
        """Ids of the text alone."""
        return self.clip.ids(text)

    def __call__(self, text: str) -> list[int]:
        """The padded ids, always 77; what a longer text has more is cut off."""
        group = [Token(token) for token in self.clip.ids(text)[: CONTEXT_LENGTH - 2]]
        (chunk,) = self.clip.frame().chunks([group])
        return [token.id for token in chunk]
