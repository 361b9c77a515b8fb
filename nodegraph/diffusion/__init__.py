"""The diffusion library: networks, text, schedules, samplers, LoRA, and the store of live weights.

It knows tensors and files, and nothing of graphs or nodes. Importing it loads no torch: the public names
are resolved when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.diffusion.device import choose_device, choose_precision, execution_profile
    from nodegraph.diffusion.nets.unet import UNet
    from nodegraph.diffusion.nets.vae import AutoencoderKL
    from nodegraph.diffusion.patching import Bench, PatchKind
    from nodegraph.diffusion.previews import PreviewMap, fit_preview
    from nodegraph.diffusion.samplers import SAMPLERS, Brownian
    from nodegraph.diffusion.sampling import sample
    from nodegraph.diffusion.schedulers import SCHEDULERS
    from nodegraph.diffusion.store import PATCH_KINDS, Store

__all__ = [
    "PATCH_KINDS",
    "SAMPLERS",
    "SCHEDULERS",
    "AutoencoderKL",
    "Bench",
    "Brownian",
    "PatchKind",
    "PreviewMap",
    "Store",
    "UNet",
    "choose_device",
    "choose_precision",
    "execution_profile",
    "fit_preview",
    "sample",
]

_HOME = {
    "PATCH_KINDS": "store",
    "SAMPLERS": "samplers",
    "SCHEDULERS": "schedulers",
    "AutoencoderKL": "nets.vae",
    "Bench": "patching",
    "Brownian": "samplers",
    "PatchKind": "patching",
    "PreviewMap": "previews",
    "Store": "store",
    "UNet": "nets.unet",
    "choose_device": "device",
    "choose_precision": "device",
    "execution_profile": "device",
    "fit_preview": "previews",
    "sample": "sampling",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
