"""How LoRA files spell the layers of a UNet: original and diffusers' names, dotted and underscored."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodegraph.modelfiles.loras.targets import Named, Target, layers_of, spelled
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph.modelfiles.shapes import Shapes, unet_config

ORIGINAL = ("", "diffusion_model.", "model.diffusion_model.")
"""What stands before an original name; nothing in files that speak of one network alone."""
DIFFUSERS = ("", "unet.", "base_model.model.", "unet.base_model.model.")
FLAT = ("lora_unet_", "lycoris_")
"""kohya's trainers and LyCORIS, and SimpleTuner's LyCORIS."""

_PROCESSOR = re.compile(r"\.(attn\d)\.(to_[a-z]+)(?:\.0)?$")


def unet_names(shapes: Shapes) -> Iterator[Named]:
    """Every spelling of every layer of a UNet in the original layout."""
    prefixes = diffusers_prefixes(unet_config(shapes))
    for module in layers_of(shapes):
        target = Target("denoiser", module)
        for stem in spelled([module], ORIGINAL, FLAT):
            yield stem, target
        theirs = to_diffusers(module, prefixes)
        if theirs is not None:
            for stem in spelled(_with_processor(theirs), DIFFUSERS, FLAT):
                yield stem, target


def _with_processor(name: str) -> set[str]:
    """The name, and that of diffusers' earlier releases, where attention processors held the matrices."""
    return {name, _PROCESSOR.sub(r".\1.processor.\2", name)}
