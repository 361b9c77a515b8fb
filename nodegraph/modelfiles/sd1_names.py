"""Names of the UNet's modules: the original layout against that of diffusers.

LoRA files speak of diffusers' names (dotted or underscored), checkpoints of the original ones.
"""

from __future__ import annotations

from nodegraph.modelfiles.configs import UNetConfig

_RES_BLOCK = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}

_ENDS = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


def diffusers_prefixes(config: UNetConfig) -> dict[str, str]:
    """Original module path -> diffusers module path, for every module that has a counterpart.

    Paths of transformers are given as a whole (`input_blocks.1.1` -> `down_blocks.0.attentions.0`): inside
    them both layouts use the same names.
    """
    names = dict(_ENDS)
    levels = len(config.channels)
    block = 1
    for level in range(levels):
        for index in range(config.res_blocks):
            names |= _res_block(f"input_blocks.{block}.0", f"down_blocks.{level}.resnets.{index}")
            if config.depths[level]:
                names[f"input_blocks.{block}.1"] = f"down_blocks.{level}.attentions.{index}"
            block += 1
        if level + 1 < levels:
            names[f"input_blocks.{block}.0.op"] = f"down_blocks.{level}.downsamplers.0.conv"
            block += 1
    names |= _res_block("middle_block.0", "mid_block.resnets.0")
    if config.middle_depth:
        names["middle_block.1"] = "mid_block.attentions.0"
    names |= _res_block(f"middle_block.{2 if config.middle_depth else 1}", "mid_block.resnets.1")
    block = 0
    for up, level in enumerate(reversed(range(levels))):
        for index in range(config.res_blocks + 1):
            names |= _res_block(f"output_blocks.{block}.0", f"up_blocks.{up}.resnets.{index}")
            if config.depths[level]:
                names[f"output_blocks.{block}.1"] = f"up_blocks.{up}.attentions.{index}"
            if level > 0 and index == config.res_blocks:
                place = 2 if config.depths[level] else 1
                names[f"output_blocks.{block}.{place}.conv"] = f"up_blocks.{up}.upsamplers.0.conv"
            block += 1
    return names


def to_diffusers(name: str, prefixes: dict[str, str]) -> str | None:
    """The diffusers name of an original tensor or module name; None where the layouts share nothing."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in prefixes:
            return ".".join([prefixes[prefix], *parts[length:]])
    return None


def _res_block(original: str, diffusers: str) -> dict[str, str]:
    return {f"{original}.{ours}": f"{diffusers}.{theirs}" for ours, theirs in _RES_BLOCK.items()}
