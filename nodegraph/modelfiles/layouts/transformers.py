"""Diffusion transformers in the layout of diffusers: which tensors of a file make each of the network's.

The networks keep the names of the original files, where queries, keys and values are one tensor; diffusers
keeps them apart, and writes scale before shift where the originals write shift before scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nodegraph.modelfiles.shapes import Shapes, count
from nodegraph.modelfiles.sources import TensorSource


def transformer(shapes: Shapes) -> dict[str, TensorSource]:
    """The sources of an SD 3 or FLUX.1 network from a diffusers file; empty if it holds neither."""
    if "time_text_embed.text_embedder.linear_1.weight" not in shapes:
        return {}
    if "single_transformer_blocks.0.proj_mlp.weight" in shapes:
        return flux(shapes)
    return mmdit(shapes) if "pos_embed.pos_embed" in shapes else {}


class Module(NamedTuple):
    """A layer of the network, the layers of the file that make it, and whether halves trade places."""

    name: str
    sources: tuple[str, ...]
    swapped: bool = False


def mmdit(shapes: Shapes) -> dict[str, TensorSource]:
    """Each tensor of an SD 3 network -> what makes it in a diffusers file of these shapes."""
    joined = dict(_tensors(mmdit_modules(count(shapes, "transformer_blocks.")), shapes))
    if "pos_embed.pos_embed" in shapes:
        joined["pos_embed"] = TensorSource.of("pos_embed.pos_embed")
    return joined


def flux(shapes: Shapes) -> dict[str, TensorSource]:
    """Each tensor of a FLUX.1 network -> what makes it in a diffusers file of these shapes."""
    modules = flux_modules(count(shapes, "transformer_blocks."), count(shapes, "single_transformer_blocks."))
    joined = dict(_tensors(modules, shapes))
    return {name.replace("_norm.weight", "_norm.scale"): made for name, made in joined.items()}


def mmdit_modules(depth: int) -> tuple[Module, ...]:
    """The layers of an SD 3 network of that many blocks, and what diffusers calls them."""
    modules: tuple[Module, ...] = _MMDIT
    for block in range(depth):
        names = (f"joint_blocks.{block}.", f"transformer_blocks.{block}.")
        modules += _within(*names, _joint_block(last=block + 1 == depth))
    return modules


def flux_modules(double: int, single: int) -> tuple[Module, ...]:
    """The layers of a FLUX.1 network of so many blocks, and what diffusers calls them."""
    modules: tuple[Module, ...] = _FLUX
    for block in range(double):
        modules += _within(f"double_blocks.{block}.", f"transformer_blocks.{block}.", _DOUBLE_BLOCK)
    for block in range(single):
        names = (f"single_blocks.{block}.", f"single_transformer_blocks.{block}.")
        modules += _within(*names, _SINGLE_BLOCK)
    return modules


def _tensors(modules: tuple[Module, ...], shapes: Shapes) -> Iterator[tuple[str, TensorSource]]:
    """Weight and bias of those layers that the file has, be it in part."""
    for module in modules:
        for suffix in (".weight", ".bias"):
            sources = tuple(source + suffix for source in module.sources)
            if any(source in shapes for source in sources):
                yield module.name + suffix, TensorSource(sources, swapped=module.swapped)


def _within(prefix: str, their_prefix: str, modules: tuple[Module, ...]) -> tuple[Module, ...]:
    return tuple(
        Module(prefix + name, tuple(their_prefix + source for source in sources), swapped)
        for name, sources, swapped in modules
    )


def _qkv(name: str, prefix: str, form: str = "to_{}") -> Module:
    return Module(name, tuple(prefix + form.format(part) for part in "qkv"))


_MMDIT = (
    Module("x_embedder.proj", ("pos_embed.proj",)),
    Module("t_embedder.mlp.0", ("time_text_embed.timestep_embedder.linear_1",)),
    Module("t_embedder.mlp.2", ("time_text_embed.timestep_embedder.linear_2",)),
    Module("y_embedder.mlp.0", ("time_text_embed.text_embedder.linear_1",)),
    Module("y_embedder.mlp.2", ("time_text_embed.text_embedder.linear_2",)),
    Module("context_embedder", ("context_embedder",)),
    Module("final_layer.linear", ("proj_out",)),
    Module("final_layer.adaLN_modulation.1", ("norm_out.linear",), swapped=True),
)


def _joint_block(*, last: bool) -> tuple[Module, ...]:
    """One block of SD 3; in the last the text has no feed forward, and its norm is diffusers' final kind."""
    return (
        _qkv("x_block.attn.qkv", "attn."),
        Module("x_block.attn.ln_q", ("attn.norm_q",)),
        Module("x_block.attn.ln_k", ("attn.norm_k",)),
        Module("x_block.attn.proj", ("attn.to_out.0",)),
        _qkv("x_block.attn2.qkv", "attn2."),
        Module("x_block.attn2.ln_q", ("attn2.norm_q",)),
        Module("x_block.attn2.ln_k", ("attn2.norm_k",)),
        Module("x_block.attn2.proj", ("attn2.to_out.0",)),
        Module("x_block.mlp.fc1", ("ff.net.0.proj",)),
        Module("x_block.mlp.fc2", ("ff.net.2",)),
        Module("x_block.adaLN_modulation.1", ("norm1.linear",)),
        _qkv("context_block.attn.qkv", "attn.", "add_{}_proj"),
        Module("context_block.attn.ln_q", ("attn.norm_added_q",)),
        Module("context_block.attn.ln_k", ("attn.norm_added_k",)),
        Module("context_block.attn.proj", ("attn.to_add_out",)),
        Module("context_block.mlp.fc1", ("ff_context.net.0.proj",)),
        Module("context_block.mlp.fc2", ("ff_context.net.2",)),
        Module("context_block.adaLN_modulation.1", ("norm1_context.linear",), swapped=last),
    )


_FLUX = (
    Module("img_in", ("x_embedder",)),
    Module("txt_in", ("context_embedder",)),
    Module("time_in.in_layer", ("time_text_embed.timestep_embedder.linear_1",)),
    Module("time_in.out_layer", ("time_text_embed.timestep_embedder.linear_2",)),
    Module("vector_in.in_layer", ("time_text_embed.text_embedder.linear_1",)),
    Module("vector_in.out_layer", ("time_text_embed.text_embedder.linear_2",)),
    Module("guidance_in.in_layer", ("time_text_embed.guidance_embedder.linear_1",)),
    Module("guidance_in.out_layer", ("time_text_embed.guidance_embedder.linear_2",)),
    Module("final_layer.linear", ("proj_out",)),
    Module("final_layer.adaLN_modulation.1", ("norm_out.linear",), swapped=True),
)

_DOUBLE_BLOCK = (
    Module("img_mod.lin", ("norm1.linear",)),
    Module("txt_mod.lin", ("norm1_context.linear",)),
    _qkv("img_attn.qkv", "attn."),
    _qkv("txt_attn.qkv", "attn.", "add_{}_proj"),
    Module("img_attn.norm.query_norm", ("attn.norm_q",)),
    Module("img_attn.norm.key_norm", ("attn.norm_k",)),
    Module("txt_attn.norm.query_norm", ("attn.norm_added_q",)),
    Module("txt_attn.norm.key_norm", ("attn.norm_added_k",)),
    Module("img_attn.proj", ("attn.to_out.0",)),
    Module("txt_attn.proj", ("attn.to_add_out",)),
    Module("img_mlp.0", ("ff.net.0.proj",)),
    Module("img_mlp.2", ("ff.net.2",)),
    Module("txt_mlp.0", ("ff_context.net.0.proj",)),
    Module("txt_mlp.2", ("ff_context.net.2",)),
)

_SINGLE_BLOCK = (
    Module("modulation.lin", ("norm.linear",)),
    Module("linear1", ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")),
    Module("linear2", ("proj_out",)),
    Module("norm.query_norm", ("attn.norm_q",)),
    Module("norm.key_norm", ("attn.norm_k",)),
)
