"""nodegraph: typed node graphs for diffusion image generation.

The public names are listed here and loaded on first use, so that `import nodegraph` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.declare import node
    from nodegraph.engine import Engine
    from nodegraph.errors import NodegraphError
    from nodegraph.graph.builder import Graph
    from nodegraph.graph.document import Document
    from nodegraph.hookspecs import hookimpl
    from nodegraph.marks import Added, Body, Choice, File, OneOrMany, Seed
    from nodegraph.registry import Registry
    from nodegraph.runtime import Context
    from nodegraph.values import (
        Conditioning,
        Guider,
        Image,
        Latent,
        Mask,
        Model,
        Noise,
        Sampler,
        Sigmas,
        TextEncoder,
        Vae,
    )

_HOMES = {
    "nodegraph.declare": ("node",),
    "nodegraph.engine": ("Engine",),
    "nodegraph.errors": ("NodegraphError",),
    "nodegraph.graph.builder": ("Graph",),
    "nodegraph.graph.document": ("Document",),
    "nodegraph.hookspecs": ("hookimpl",),
    "nodegraph.marks": ("Added", "Body", "Choice", "File", "OneOrMany", "Seed"),
    "nodegraph.registry": ("Registry",),
    "nodegraph.runtime": ("Context",),
    "nodegraph.values": (
        "Conditioning", "Guider", "Image", "Latent", "Mask", "Model", "Noise", "Sampler", "Sigmas",
        "TextEncoder", "Vae",
    ),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "Added", "Body", "Choice", "Conditioning", "Context", "Document", "Engine", "File", "Graph", "Guider",
    "Image", "Latent", "Mask", "Model", "NodegraphError", "Noise", "OneOrMany", "Registry", "Sampler", "Seed",
    "Sigmas", "TextEncoder", "Vae", "hookimpl", "node",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'nodegraph' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
