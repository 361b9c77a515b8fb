"""Kinds of model files: what they are called here, and which files belong to them."""

from __future__ import annotations

from collections.abc import Mapping

from nodegraph.modelfiles.manifests import SHARDED, WHOLE, is_shard

_WEIGHTS = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", SHARDED)
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
"""Files that may run code when they are opened: never without consent."""

MODEL_KINDS = (
    "checkpoints", "diffusion_models", "text_encoders", "vae", "loras", "embeddings", "controlnet",
    "upscale_models", "clip_vision", "style_models", "gligen", "hypernetworks", "photomaker", "vae_approx",
    "audio_encoders", "model_patches", "diffusers",
)  # fmt: skip
"""The kinds of model files, each the name of its folder (ComfyUI's names)."""

ALIASES: Mapping[str, str] = {"unet": "diffusion_models", "clip": "text_encoders"}
"""Older folder names that ComfyUI still reads -> the kind."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(MODEL_KINDS, _WEIGHTS),
    "images": PICTURES,
    "diffusers": (WHOLE,),
}
"""The file name endings of each kind, in lower case. A kind that is not here takes every file."""


def belongs(kind: str, name: str) -> bool:
    """Whether a file of that name is one of the kind. A shard is a part of one."""
    suffixes = SUFFIXES.get(kind)
    return suffixes is None or (name.lower().endswith(suffixes) and not is_shard(name))
