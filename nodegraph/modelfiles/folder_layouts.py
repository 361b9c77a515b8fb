"""Where other programs keep their models: ComfyUI's and A1111's folders, as folders by kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodegraph.modelfiles.kinds import ALIASES, MODEL_KINDS

Folders = dict[str, list[Path]]
"""Kind -> folders, those that win first."""

A1111_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "checkpoints": ("models/Stable-diffusion",),
    "loras": ("models/Lora", "models/LyCORIS"),
    "vae": ("models/VAE",),
    "embeddings": ("embeddings",),
    "hypernetworks": ("models/hypernetworks",),
    "controlnet": ("models/ControlNet", "extensions/sd-webui-controlnet/models"),
    "upscale_models": ("models/ESRGAN", "models/RealESRGAN", "models/SwinIR"),
    "text_encoders": ("models/text_encoder",),
    "vae_approx": ("models/VAE-approx",),
}
"""Folders of Stable Diffusion WebUI (and Forge), relative to its own."""


def own_folders(models: Path) -> Folders:
    """The folders of a `models` directory in our layout, which is ComfyUI's: one for each kind, by its name.

    Folders under older names (`unet`, `clip`) follow those under the kind's own name.
    """
    folders: Folders = {kind: [models / kind] for kind in MODEL_KINDS}
    for older, kind in ALIASES.items():
        if (models / older).is_dir():
            folders[kind].append(models / older)
    return folders


def a1111_folders(root: Path) -> Folders:
    """The folders of a Stable Diffusion WebUI at `root` that are there."""
    found = {kind: [root / place for place in places] for kind, places in A1111_FOLDERS.items()}
    return existing(found)


def existing(folders: Mapping[str, list[Path]]) -> Folders:
    """Those of these folders that are there."""
    there = {kind: [path for path in paths if path.is_dir()] for kind, paths in folders.items()}
    return {kind: paths for kind, paths in there.items() if paths}


def merge(first: Folders, second: Mapping[str, list[Path]]) -> Folders:
    """The folders of both, each once; the first ones win."""
    kinds = dict.fromkeys([*first, *second])
    return {kind: list(dict.fromkeys([*first.get(kind, []), *second.get(kind, [])])) for kind in kinds}
