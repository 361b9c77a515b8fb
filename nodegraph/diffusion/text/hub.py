"""CLIP's tokenizer from the hub: copies that other tools left in its cache, or a download of two files."""

from __future__ import annotations

import logging
import os
from pathlib import Path

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
