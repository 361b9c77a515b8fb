"""Whether a part of a pipeline folder is what its `config.json` says (diffusers' and transformers' names)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, T5Config, UNetConfig, VaeConfig
from nodegraph.modelfiles.manifests import read_json
from nodegraph.modelfiles.transformer_configs import FluxConfig, MMDiTConfig
from nodegraph.values import LatentFormat

NAME = "config.json"

_TOLD: Mapping[type, Mapping[str, Callable[[Any], object]]] = {
    UNetConfig: {
        "in_channels": lambda net: net.in_channels,
        "out_channels": lambda net: net.out_channels,
        "block_out_channels": lambda net: list(net.channels),
        "cross_attention_dim": lambda net: net.context_dim,
        "layers_per_block": lambda net: net.res_blocks,
    },
    VaeConfig: {
        "in_channels": lambda net: net.image_channels,
        "latent_channels": lambda net: net.latent_channels,
        "block_out_channels": lambda net: list(net.channels),
        "layers_per_block": lambda net: net.res_blocks,
    },
    MMDiTConfig: {
        "in_channels": lambda net: net.in_channels,
        "num_layers": lambda net: net.depth,
        "num_attention_heads": lambda net: net.heads,
        "joint_attention_dim": lambda net: net.context_dim,
        "pooled_projection_dim": lambda net: net.pooled_dim,
        "patch_size": lambda net: net.patch,
        "pos_embed_max_size": lambda net: net.positions,
    },
    FluxConfig: {
        "in_channels": lambda net: net.in_features,
        "num_layers": lambda net: net.double_blocks,
        "num_single_layers": lambda net: net.single_blocks,
        "num_attention_heads": lambda net: net.heads,
        "joint_attention_dim": lambda net: net.context_dim,
        "pooled_projection_dim": lambda net: net.vector_dim,
        "guidance_embeds": lambda net: net.guidance,
    },
    ClipTextConfig: {
        "vocab_size": lambda net: net.vocabulary,
        "hidden_size": lambda net: net.width,
        "num_hidden_layers": lambda net: net.layers,
        "num_attention_heads": lambda net: net.heads,
        "intermediate_size": lambda net: net.hidden,
    },
    T5Config: {
        "vocab_size": lambda net: net.vocabulary,
        "d_model": lambda net: net.width,
        "num_layers": lambda net: net.layers,
        "num_heads": lambda net: net.heads,
        "d_kv": lambda net: net.head_width,
        "d_ff": lambda net: net.hidden,
    },
}


def check_part(weights: Path, net: object, latent: LatentFormat | None = None) -> None:
    """Compare what tensors show with the `config.json` beside them; what it leaves out is not compared.

    latent: for an autoencoder, the scale and shift that its family uses. ModelFileError names the field.
    """
    path = weights.parent / NAME
    if not path.is_file():
        return
    told = read_json(path)
    for field, shown in _TOLD.get(type(net), {}).items():
        if told.get(field) is not None and told[field] != shown(net):
            raise _contradiction(path, field, told[field], shown(net))
    if latent is not None:
        _check_number(path, told, "scaling_factor", latent.scale)
        _check_number(path, told, "shift_factor", latent.shift)


def _check_number(path: Path, told: Mapping[str, Any], field: str, used: float) -> None:
    value = told.get(field)
    if isinstance(value, int | float) and abs(value - used) > 1e-6 * max(1.0, abs(used)):
        raise _contradiction(path, field, value, used)


def _contradiction(path: Path, field: str, told: object, shown: object) -> ModelFileError:
    return ModelFileError(
        f"{path} does not belong to the weights beside it: '{field}' differs", code="model_config_mismatch",
        expected=f"{told}, as it says", found=f"{shown}, as the weights are read",
        remedy="Download this part again: the two files are of different models.",
    )  # fmt: skip
