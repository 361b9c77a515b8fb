"""The autoencoder's tensors, under the names of the original checkpoints."""

from __future__ import annotations

from nodegraph.modelfiles.layouts import diffusers
from nodegraph.modelfiles.layouts.prefixes import first_prefix
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import Sources, renamed

PREFIXES = ("first_stage_model.", "vae.")


def autoencoder(shapes: Shapes) -> Sources:
    """The sources of an autoencoder under a prefix, or bare in a file of its own; empty if there is none."""
    names = first_prefix(shapes, PREFIXES)
    if not names and "decoder.conv_in.weight" in shapes and "encoder.conv_in.weight" in shapes:
        names = {name: name for name in shapes if not name.startswith(("loss.", "model_ema."))}
    if any(name.startswith("encoder.down_blocks.") for name in names):
        return diffusers.autoencoder(names, shapes)
    return renamed(names)
