"""Derive the configs of networks from the names and shapes of their tensors.

Every function takes the tensors of one network with its prefix removed, and raises KeyError or ValueError
where the names do not follow the layout; `families` turns those into a sentence about the file.
"""

from __future__ import annotations

from nodegraph.modelfiles.configs import ClipTextConfig, T5Config, UNetConfig, VaeConfig
from nodegraph.modelfiles.sources import Shapes

__all__ = ["Shapes", "clip_text_config", "count", "t5_config", "unet_config", "vae_config"]


def count(shapes: Shapes, prefix: str) -> int:
    """How many consecutive numbers follow a prefix: `blocks.0.`, `blocks.1.` … counts 2."""
    numbers = {name[len(prefix) :].split(".", 1)[0] for name in shapes if name.startswith(prefix)}
    index = 0
    while str(index) in numbers:
        index += 1
    return index


def unet_config(shapes: Shapes, head_width: int | None = None) -> UNetConfig:
    """The config of a UNet in the LDM layout (`input_blocks.N.M`, `middle_block.M`, `output_blocks.N.M`).

    head_width: channels per attention head, which no tensor shows; None for the eight heads of SD 1.x.
    """
    time_dim, model_channels = shapes["time_embed.0.weight"]
    channels: list[int] = []
    depths: list[int] = []
    blocks_per_level = [0]
    for block in range(1, count(shapes, "input_blocks.")):
        if f"input_blocks.{block}.0.op.weight" in shapes:  # a downsampling: the level ends
            blocks_per_level.append(0)
            continue
        if blocks_per_level[-1] == 0:
            channels.append(shapes[f"input_blocks.{block}.0.out_layers.3.weight"][0])
            depths.append(count(shapes, f"input_blocks.{block}.1.transformer_blocks."))
        blocks_per_level[-1] += 1
    if len(set(blocks_per_level)) != 1:
        raise ValueError(f"levels with {blocks_per_level} residual blocks; all levels need the same number")
    contexts = [shape[1] for name, shape in shapes.items() if name.endswith("attn2.to_k.weight")]
    entries = [shape for name, shape in shapes.items() if name.endswith("1.proj_in.weight")]
    if not channels or not contexts or not entries:
        raise ValueError("the UNet has no level with a residual block, or no cross attention")
    config = UNetConfig(
        in_channels=shapes["input_blocks.0.0.weight"][1],
        out_channels=shapes["out.2.weight"][0],
        model_channels=model_channels,
        channels=tuple(channels),
        res_blocks=blocks_per_level[0],
        depths=tuple(depths),
        middle_depth=count(shapes, "middle_block.1.transformer_blocks."),
        context_dim=contexts[0],
        time_dim=time_dim,
        head_width=head_width,
        linear=len(entries[0]) == 2,
        label_dim=shapes.get("label_emb.0.0.weight", (0, 0))[1],
    )
    _check_transformers(config, shapes)
    return config


def _check_transformers(config: UNetConfig, shapes: Shapes) -> None:
    """ValueError where the output path has other transformers than the input path: a pruned network."""
    block = 0
    for channels, depth in zip(reversed(config.channels), reversed(config.depths), strict=True):
        if depth:
            config.heads_of(channels)
        for _ in range(config.res_blocks + 1):
            found = count(shapes, f"output_blocks.{block}.1.transformer_blocks.")
            if found != depth:
                raise ValueError(f"output block {block} has {found} transformer blocks, expected {depth}")
            block += 1


def vae_config(shapes: Shapes) -> VaeConfig:
    """The config of an autoencoder in the LDM layout (`encoder.down.N.block.M`, `decoder.up.N.block.M`)."""
    levels = range(count(shapes, "encoder.down."))
    base_channels, image_channels = shapes["encoder.conv_in.weight"][:2]
    return VaeConfig(
        image_channels=image_channels,
        latent_channels=shapes["decoder.conv_in.weight"][1],
        base_channels=base_channels,
        channels=tuple(shapes[f"encoder.down.{level}.block.0.conv2.weight"][0] for level in levels),
        res_blocks=count(shapes, "encoder.down.0.block."),
        attention=tuple(f"encoder.down.{level}.attn.0.q.weight" in shapes for level in levels),
        quant="quant_conv.weight" in shapes,
    )


def clip_text_config(shapes: Shapes) -> ClipTextConfig:
    """The config of a CLIP text model by its Hugging Face names (`text_model.encoder.layers.N`)."""
    vocabulary, width = shapes["text_model.embeddings.token_embedding.weight"]
    layers = count(shapes, "text_model.encoder.layers.")
    return ClipTextConfig(
        vocabulary=vocabulary,
        positions=shapes["text_model.embeddings.position_embedding.weight"][0],
        width=width,
        layers=layers,
        hidden=shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0],
        # No tensor shows the activation: OpenCLIP's encoders, with 24 and 32 layers, were trained with GELU.
        activation="quick_gelu" if layers <= 12 else "gelu",
        projection=shapes.get("text_projection.weight", (0,))[0],
    )


def t5_config(shapes: Shapes) -> T5Config:
    """The config of a T5 encoder by its Hugging Face names (`encoder.block.N.layer.M`)."""
    block = "encoder.block.0.layer."
    table = "shared.weight" if "shared.weight" in shapes else "encoder.embed_tokens.weight"
    heads = shapes[f"{block}0.SelfAttention.relative_attention_bias.weight"][1]
    return T5Config(
        vocabulary=shapes[table][0],
        width=shapes[table][1],
        layers=count(shapes, "encoder.block."),
        heads=heads,
        head_width=shapes[f"{block}0.SelfAttention.q.weight"][0] // heads,
        hidden=shapes[f"{block}1.DenseReluDense.wi_0.weight"][0],
    )
