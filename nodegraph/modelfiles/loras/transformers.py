"""How LoRA files spell the layers of SD 3 and FLUX.1: original names, diffusers', and x-labs'.

The networks keep query, key and value (in single blocks also the feed forward) in one matrix, as the original
files do; diffusers keeps them apart, so its changes go to rows of that matrix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodegraph.modelfiles.layouts.transformers import Module, flux_modules, mmdit_modules
from nodegraph.modelfiles.loras.targets import Named, Target, layers_of, spelled
from nodegraph.modelfiles.shapes import Shapes, count

ORIGINAL = ("", "diffusion_model.", "model.diffusion_model.", "transformer.", "base_model.model.")
"""What stands before an original name; `transformer.` and PEFT's prefix in files of some trainers."""
DIFFUSERS = ("", "transformer.", "base_model.model.", "transformer.base_model.model.")
FLAT = ("lora_unet_", "lora_transformer_", "lycoris_")
"""kohya's trainers, OneTrainer, and SimpleTuner's LyCORIS."""

_XLABS_DOUBLE = {"qkv_lora1": "img_attn.qkv", "proj_lora1": "img_attn.proj",
                 "qkv_lora2": "txt_attn.qkv", "proj_lora2": "txt_attn.proj"}  # fmt: skip


def transformer_names(shapes: Shapes) -> Iterator[Named]:
    """Every spelling of every layer of an SD 3 or FLUX.1 network; nothing for other networks."""
    if "joint_blocks.0.context_block.attn.qkv.weight" in shapes:
        modules = mmdit_modules(count(shapes, "joint_blocks."))
    elif "single_blocks.0.linear1.weight" in shapes:
        modules = flux_modules(count(shapes, "double_blocks."), count(shapes, "single_blocks."))
        yield from _xlabs_names(shapes)
    else:
        return
    layers = layers_of(shapes)
    for layer in layers:
        for stem in spelled([layer], ORIGINAL, FLAT):
            yield stem, Target("denoiser", layer)
    for module in modules:
        if module.name in layers:
            for name, target in _parts(module, shapes[layers[module.name]]):
                for stem in spelled([name], DIFFUSERS, FLAT):
                    yield stem, target


def _parts(module: Module, shape: tuple[int, ...]) -> Iterator[Named]:
    """diffusers' layers that make one of ours. All but the last have as many rows as columns."""
    start = 0
    for index, name in enumerate(module.sources):
        rows = None
        if len(module.sources) > 1:
            last = index + 1 == len(module.sources)
            rows = (start, shape[0] if last else start + shape[1])
            start = rows[1]
        yield name, Target("denoiser", module.name, rows, swapped=module.swapped)


def _xlabs_names(shapes: Shapes) -> Iterator[Named]:
    """x-labs' names of the attention of FLUX.1: 1 is the image, 2 the text.

    Its matrices at the end of single blocks act on what the block gives, which no change of one weight does:
    they have no target.
    """
    for layer in layers_of(shapes):
        match = re.fullmatch(r"(double_blocks\.\d+)\.((?:img|txt)_attn\.(?:qkv|proj))", layer)
        if match:
            theirs = next(name for name, ours in _XLABS_DOUBLE.items() if ours == match[2])
            for prefix in ORIGINAL:
                yield f"{prefix}{match[1]}.processor.{theirs}", Target("denoiser", layer)
        match = re.fullmatch(r"(single_blocks\.\d+)\.linear1", layer)
        if match:
            rows = (0, 3 * shapes[f"{layer}.weight"][1])
            for prefix in ORIGINAL:
                yield f"{prefix}{match[1]}.processor.qkv", Target("denoiser", layer, rows)
