"""CLIP's tokenizer for checkpoints that do not carry it: from the disk, a package, or the hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph.diffusion.text.hub import cached_folder, download_folder
from nodegraph.diffusion.text.instant import installed_tokenizer
from nodegraph.diffusion.text.tokenizer import (
    ClipTokenizer,
    TextTokenizer,
    parse_tokenizer,
    tokenizer_from_metadata,
)
from nodegraph.diffusion.text.tokenizer_names import MERGES, VOCABULARY
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import TOKENIZER_KEYS
from nodegraph.modelfiles.safetensors_header import Header

if TYPE_CHECKING:
    from nodegraph.diffusion.text.t5 import T5Tokenizer

FindFolder = Callable[[], Path | None]
FindTokenizer = Callable[[int], TextTokenizer | None]


def tokenizer_source(
    folders: Sequence[Path],
    *,
    cached: FindFolder = cached_folder,
    installed: FindTokenizer = installed_tokenizer,
    download: FindFolder = download_folder,
) -> Callable[[Header, int], TextTokenizer]:
    """Where tokenizers come from, in this order; every source gives the same tokens.

    The checkpoint's metadata; the folder it lies in, and `tokenizer` in it or beside it (diffusers'
    layout); the given folders; the hub's cache; the package `instant-clip-tokenizer`; a download from the
    hub, unless that is switched off. ModelFileError from the source: there is none (it lists where it
    looked and says what to do), or one is damaged.
    """

    def source(header: Header, length: int) -> TextTokenizer:
        if all(key in header.metadata for key in TOKENIZER_KEYS):
            return tokenizer_from_metadata(header.metadata, header.path, length)
        here = header.path.parent
        places = [here, here / "tokenizer", here.parent / "tokenizer", *folders]
        for place in places:
            if (place / VOCABULARY).is_file() and (place / MERGES).is_file():
                return _read(place, length)
        kept = cached()
        if kept is not None:
            return _read(kept, length)
        package = installed(length)
        if package is not None:
            return package
        fetched = download()
        if fetched is not None:
            return _read(fetched, length)
        raise _missing(header, [here, here / "tokenizer", *folders])

    return source


def t5_tokenizer_source(folders: Sequence[Path]) -> Callable[[Header], T5Tokenizer]:
    """Where T5's tokenizer comes from: a `tokenizer.json` that the user has put somewhere, see `t5`."""

    def source(header: Header) -> T5Tokenizer:
        from nodegraph.diffusion.text.t5 import find_t5_tokenizer  # brings transformers along

        return find_t5_tokenizer(header, folders)

    return source


def _missing(header: Header, places: Sequence[Path]) -> ModelFileError:
    return ModelFileError(
        f"{header.path} has no tokenizer",
        code="tokenizer_missing",
        expected=f"CLIP's {VOCABULARY} and {MERGES} in "
        + " or ".join(f"'{place}'" for place in places)
        + ", or in the cache of huggingface-hub",
        found="neither of them, no package instant-clip-tokenizer, and no download",
        remedy="Run `pip install 'nodegraph[clip-tokenizer]'`, which needs no network later; or copy both "
        f"files from the 'tokenizer' folder of any SD 1.x download in diffusers' layout to '{places[-1]}'; "
        "or go online without NODEGRAPH_OFFLINE and HF_HUB_OFFLINE, and they are fetched.",
    )


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
