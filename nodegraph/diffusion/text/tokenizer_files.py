"""CLIP's tokenizer for checkpoints that do not carry it: `vocab.json` and `merges.txt` on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nodegraph.diffusion.text.tokenizer import ClipTokenizer, parse_tokenizer, tokenizer_from_metadata
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import TOKENIZER_KEYS
from nodegraph.modelfiles.safetensors_header import Header

VOCABULARY, MERGES = "vocab.json", "merges.txt"


def tokenizer_source(folders: Sequence[Path]) -> Callable[[Header, int], ClipTokenizer]:
    """Where tokenizers come from: the checkpoint's metadata, the folder it lies in, then these folders.

    ModelFileError from the source: none of them has one (it lists where it looked), or it is damaged.
    """

    def source(header: Header, length: int) -> ClipTokenizer:
        if all(key in header.metadata for key in TOKENIZER_KEYS):
            return tokenizer_from_metadata(header.metadata, header.path, length)
        places = [header.path.parent, *folders]
        for place in places:
            if (place / VOCABULARY).is_file() and (place / MERGES).is_file():
                return _read(place, length)
        raise ModelFileError(
            f"{header.path} has no tokenizer",
            code="tokenizer_missing",
            expected=f"CLIP's {VOCABULARY} and {MERGES} in " + " or ".join(f"'{place}'" for place in places),
            remedy="Copy both from the 'tokenizer' folder of any SD 1.x download in diffusers' layout.",
        )

    return source


def _read(place: Path, length: int) -> ClipTokenizer:
    try:
        vocabulary = (place / VOCABULARY).read_text("utf-8")
        return ClipTokenizer(*parse_tokenizer(vocabulary, (place / MERGES).read_text("utf-8")), length=length)
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"the tokenizer in '{place}' cannot be used: {error}",
            code="tokenizer_damaged",
            remedy=f"Copy {VOCABULARY} and {MERGES} again.",
        ) from error
