"""The denoiser's tensors: under a prefix in whole checkpoints, bare in files of their own."""

from __future__ import annotations

from collections.abc import Iterator

from nodegraph.modelfiles.layouts import diffusers
from nodegraph.modelfiles.layouts.prefixes import without_prefix
from nodegraph.modelfiles.layouts.transformers import transformer
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import Sources, renamed

PREFIXES = ("model.diffusion_model.", "model.model.", "net.", "")


def candidates(shapes: Shapes) -> Iterator[Sources]:
    """What may be a denoiser, in the order to be tried: a family says whether it is one."""
    for prefix in PREFIXES:
        names = without_prefix(shapes, prefix)
        if names:
            yield renamed(names)
    yield transformer(shapes)
    yield diffusers.unet(shapes)
