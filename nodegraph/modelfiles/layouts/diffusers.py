"""UNets and autoencoders in the layout of diffusers, under the names of the original checkpoints."""

from __future__ import annotations

import re

from nodegraph.modelfiles.configs import UNetConfig
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph.modelfiles.shapes import Shapes, count
from nodegraph.modelfiles.sources import TensorSource


def unet(shapes: Shapes) -> dict[str, TensorSource]:
    """The sources of a UNet from a diffusers file; empty if it holds none.

    Only the names of its blocks count here, so the config that names them has no widths.
    """
    if "down_blocks.0.resnets.0.conv1.weight" not in shapes or "time_embedding.linear_1.weight" not in shapes:
        return {}
    levels = range(count(shapes, "down_blocks."))
    blocks = UNetConfig(
        channels=tuple(0 for _ in levels),
        res_blocks=count(shapes, "down_blocks.0.resnets."),
        depths=tuple(count(shapes, f"down_blocks.{i}.attentions.0.transformer_blocks.") for i in levels),
        middle_depth=count(shapes, "mid_block.attentions.0.transformer_blocks."),
    )
    originals = {theirs: ours for ours, theirs in diffusers_prefixes(blocks).items()}
    named = ((to_diffusers(name, originals), name) for name in shapes)
    return {ours: TensorSource.of(name) for ours, name in named if ours is not None}


_VAE_BLOCKS = (
    (r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)", r"encoder.down.\1.block.\2"),
    (r"encoder\.down_blocks\.(\d+)\.downsamplers\.0", r"encoder.down.\1.downsample"),
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
)
_VAE_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
    "query": "q", "key": "k", "value": "v", "proj_attn": "proj_out",  # as older releases named them
}  # fmt: skip
_UP = re.compile(r"decoder\.up_blocks\.(\d+)\.(?:resnets\.(\d+)|upsamplers\.0)")


def autoencoder(names: dict[str, str], shapes: Shapes) -> dict[str, TensorSource]:
    """The sources of an autoencoder; names: name in diffusers' layout -> name in the file.

    Levels of the decoder are counted from the other end, and the linear maps of the attention are 1x1
    convolutions in the original.
    """
    levels = count(dict.fromkeys(names, ()), "decoder.up_blocks.")
    made: dict[str, TensorSource] = {}
    for name, file_name in names.items():
        ours = _UP.sub(lambda match: _up(match, levels), name)
        for pattern, replacement in _VAE_BLOCKS:
            ours = re.sub(pattern, replacement, ours)
        before, attention, part = ours.partition("mid.attn_1.")
        rank = 0
        if attention:
            module, _, kind = part.rpartition(".")
            ours = f"{before}{attention}{_VAE_ATTENTION.get(module, module)}.{kind}"
            rank = 4 if kind == "weight" and len(shapes[file_name]) == 2 else 0
        made[ours] = TensorSource((file_name,), rank=rank)
    return made


def _up(match: re.Match[str], levels: int) -> str:
    place = f"decoder.up.{levels - 1 - int(match[1])}"
    return f"{place}.block.{match[2]}" if match[2] is not None else f"{place}.upsample"
