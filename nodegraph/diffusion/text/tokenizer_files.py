"""The tokenizers of CLIP and T5 for files that do not carry them: from the disk, a package, or the hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nodegraph.diffusion.text.hub import (
    T5_VARIABLE,
    cached_folder,
    cached_t5_folder,
    download_folder,
    download_t5_folder,
    named_t5_tokenizer,
)
from nodegraph.diffusion.text.instant import installed_tokenizer
from nodegraph.diffusion.text.t5_tokenizer import FILES, PIECES, T5Tokenizer, first_t5_tokenizer
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


def t5_tokenizer_source(
    folders: Sequence[Path],
    *,
    named: Callable[[], Path | None] = named_t5_tokenizer,
    cached: FindFolder = cached_t5_folder,
    download: FindFolder = download_t5_folder,
) -> Callable[[Header], T5Tokenizer]:
    """Where T5's tokenizer comes from, in this order; every source gives the same ids.

    The file or folder that NODEGRAPH_T5_TOKENIZER names; the folder of the weights, and `tokenizer_3` and
    `tokenizer_2` in it or beside it (SD 3 and FLUX.1 in diffusers' layout); the given folders; the hub's
    cache; a download from the hub, unless that is switched off. ModelFileError from the source: there is
    none (it lists where it looked and says what to do), one is damaged, or the one that is named is not T5's.
    """

    def source(header: Header) -> T5Tokenizer:
        here = header.path.parent
        beside = [root / name for name in ("tokenizer_3", "tokenizer_2") for root in (here, here.parent)]
        if (wanted := named()) is not None:
            return _named_t5(wanted)
        places = [here, *beside, *folders]
        found = first_t5_tokenizer(places)
        for find in (cached, download):
            if found is None and (folder := find()) is not None:
                found = first_t5_tokenizer([folder])
        if found is None:
            raise _missing_t5(header, places)
        return found

    return source


def _named_t5(wanted: Path) -> T5Tokenizer:
    """What the environment names counts alone: anything else would be another one than was asked for."""
    found = first_t5_tokenizer([wanted])
    if found is None:
        raise ModelFileError(
            f"{T5_VARIABLE} names '{wanted}', where T5's tokenizer is not", code="tokenizer_missing",
            expected=f"T5's {' or '.join(FILES)}, or a folder that holds one",
            found="the tokenizer of another model" if wanted.is_file() else "no such file",
            remedy=f"Correct {T5_VARIABLE}, or unset it: then the usual places are looked at.",
        )  # fmt: skip
    return found


def _missing_t5(header: Header, places: Sequence[Path]) -> ModelFileError:
    return ModelFileError(
        f"{header.path} has no tokenizer for T5",
        code="tokenizer_missing",
        expected=f"T5's {' or '.join(FILES)} in "
        + " or ".join(f"'{place}'" for place in places)
        + ", or in the cache of huggingface-hub",
        found="neither of them, and no download",
        remedy="Copy one of them from 'tokenizer_2' of a FLUX.1 or 'tokenizer_3' of an SD 3 download in "
        f"diffusers' layout to '{places[-1]}', or name it: {T5_VARIABLE}=/path/to/{PIECES}; "
        "or go online without NODEGRAPH_OFFLINE and HF_HUB_OFFLINE, and it is fetched.",
    )


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
