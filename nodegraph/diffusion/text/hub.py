"""Tokenizers from the hub: copies that other tools left in its cache, or a download."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from nodegraph.diffusion.text.t5_tokenizer import FILES as T5_FILES
from nodegraph.diffusion.text.t5_tokenizer import PIECES
from nodegraph.diffusion.text.tokenizer_names import MERGES, VOCABULARY

ORIGINAL = "openai/clip-vit-large-patch14"
KNOWN = (
    (ORIGINAL, ""),
    ("stable-diffusion-v1-5/stable-diffusion-v1-5", "tokenizer"),
    ("runwayml/stable-diffusion-v1-5", "tokenizer"),
    ("CompVis/stable-diffusion-v1-4", "tokenizer"),
    ("stabilityai/stable-diffusion-xl-base-1.0", "tokenizer"),
    ("stabilityai/stable-diffusion-3-medium-diffusers", "tokenizer"),
    ("stabilityai/stable-diffusion-3.5-large", "tokenizer"),
    ("black-forest-labs/FLUX.1-dev", "tokenizer"),
    ("black-forest-labs/FLUX.1-schnell", "tokenizer"),
)
"""Repositories that hold CLIP's vocabulary, and the folder in them. One vocabulary: any copy will do."""

T5_ORIGINAL = "google/t5-v1_1-xxl"
T5_KNOWN = (
    (T5_ORIGINAL, ""),
    ("black-forest-labs/FLUX.1-schnell", "tokenizer_2"),
    ("black-forest-labs/FLUX.1-dev", "tokenizer_2"),
    ("stabilityai/stable-diffusion-3-medium-diffusers", "tokenizer_3"),
    ("stabilityai/stable-diffusion-3.5-medium", "tokenizer_3"),
    ("stabilityai/stable-diffusion-3.5-large", "tokenizer_3"),
)
"""The same for T5's pieces."""

T5_VARIABLE = "NODEGRAPH_T5_TOKENIZER"
"""The environment variable that names T5's tokenizer, or the folder of it."""

OFFLINE = ("NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Environment variables of which any, set to something but 0, forbids downloads."""


def cached_folder() -> Path | None:
    """A folder of the hub's cache with both files. Never asks the network."""
    from huggingface_hub import try_to_load_from_cache

    for repository, folder in KNOWN:
        found = [
            try_to_load_from_cache(repository, f"{folder}/{name}" if folder else name)
            for name in (VOCABULARY, MERGES)
        ]
        paths = [Path(path) for path in found if isinstance(path, str)]
        if len(paths) == 2 and paths[0].parent == paths[1].parent:
            return paths[0].parent
    return None


def is_offline() -> bool:
    """Whether an environment variable forbids downloads."""
    return any(os.environ.get(name, "0").lower() not in ("", "0", "false") for name in OFFLINE)


def download_folder() -> Path | None:
    """Both files, downloaded into the hub's cache. None where that is forbidden or does not succeed."""
    if is_offline():
        return None
    from huggingface_hub import hf_hub_download

    log = logging.getLogger(__name__)
    log.info("fetching CLIP's tokenizer from %s", ORIGINAL)
    try:
        paths = [Path(hf_hub_download(ORIGINAL, name, etag_timeout=5)) for name in (VOCABULARY, MERGES)]
    except Exception as error:  # noqa: BLE001 - of many libraries; the caller says what else can be done
        log.warning("CLIP's tokenizer could not be fetched: %s", error)
        return None
    return paths[0].parent


def named_t5_tokenizer() -> Path | None:
    """What the environment names as T5's tokenizer."""
    named = os.environ.get(T5_VARIABLE)
    return Path(named).expanduser() if named else None


def cached_t5_folder() -> Path | None:
    """A folder of the hub's cache with T5's tokenizer. Never asks the network."""
    from huggingface_hub import try_to_load_from_cache

    for repository, folder in T5_KNOWN:
        for name in T5_FILES:
            path = try_to_load_from_cache(repository, f"{folder}/{name}" if folder else name)
            if isinstance(path, str):
                return Path(path).parent
    return None


def download_t5_folder() -> Path | None:
    """T5's pieces, downloaded into the hub's cache. None where that is forbidden or does not succeed."""
    if is_offline():
        return None
    from huggingface_hub import hf_hub_download

    log = logging.getLogger(__name__)
    log.info("fetching T5's tokenizer from %s", T5_ORIGINAL)
    try:
        return Path(hf_hub_download(T5_ORIGINAL, PIECES, etag_timeout=5)).parent
    except Exception as error:  # noqa: BLE001 - of many libraries; the caller says what else can be done
        log.warning("T5's tokenizer could not be fetched: %s", error)
        return None
