"""What a LoRA file was made for, in words: for errors, and for listings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nodegraph.modelfiles.loras.keys import LoraNames, parse
from nodegraph.modelfiles.shapes import Shapes

_CONTEXTS = {768: "SD 1.x", 1024: "SD 2.x", 2048: "SDXL", 1280: "the SDXL refiner"}
"""Width of the prompt that a UNet's cross attention reads, which the `down` of its keys shows."""
_WIDTHS = {1536: "SD 3 medium or SD 3.5 medium", 2432: "SD 3.5 large", 3072: "FLUX.1"}
"""Width of the tokens of a diffusion transformer, which the `down` of its queries shows."""

_CROSS = re.compile(r"attn2[._](?:processor\.)?to_k$")
_QUERY = re.compile(r"transformer_blocks[._]\d+[._]attn[._]to_q$|_attn[._]qkv$|x_block[._]attn[._]qkv$")
_INPUTS = ("down", "hada_w1_b", "b1")
"""Roles whose last dimension is that of the layer's input."""

_NAMES: tuple[tuple[str, str], ...] = (
    (r"double_blocks|single_blocks|single_transformer_blocks", "FLUX.1"),
    (r"joint_blocks", "SD 3"),
    (r"^lora_te3_|^text_encoder_3\.", "SD 3 or FLUX.1"),
    (r"^transformer\.|^lora_transformer_|^layers\.\d+\.|add_k_proj|ff_context", "a diffusion transformer"),
    (r"input_blocks_[478]_1_|^lora_te2_|^text_encoder_2\.|transformer_blocks[._]9", "SDXL"),
    (r"down_blocks|up_blocks|input_blocks|output_blocks|^lora_unet_|^unet\.", "a UNet of other blocks"),
    (r"^lora_te1?_|^text_encoder\.", "a CLIP text encoder"),
)  # fmt: skip


def made_for(names: LoraNames, shapes: Shapes) -> str:
    """The family that the file's names and widths speak of; empty where they are of no known kind."""
    modules = names.modules
    for pattern, families in ((_CROSS, _CONTEXTS), (_QUERY, _WIDTHS)):
        widths = {_input(roles, shapes) for stem, roles in modules.items() if pattern.search(stem)}
        family = families.get(widths.pop()) if len(widths) == 1 else None
        if family is not None:
            return family
    return next((name for pattern, name in _NAMES if _any(pattern, modules)), "")


def describe(names: LoraNames, shapes: Shapes) -> str:
    """What a file looks like, for the error that says that nothing in it fits."""
    stems = sorted(names.modules)
    family = made_for(names, shapes)
    if family:
        return f"a LoRA for {family} (for example '{stems[0]}')"
    if stems:
        return f"a LoRA of an unknown naming scheme (for example '{stems[0]}')"
    examples = ", ".join(names.unknown[:3]) or "no tensors"
    return f"no LoRA: {examples}"


def is_lora(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a LoRA's, of whatever algorithm, and not a model's."""
    return any(
        roles.keys() & {"down", "up", "diff", "hada_w1_a", "lokr_w1", "lokr_w1_a"}
        for roles in parse(names).modules.values()
    )


def _input(roles: Mapping[str, str], shapes: Shapes) -> int:
    for role in _INPUTS:
        shape = shapes[roles[role]] if role in roles else ()
        if len(shape) > 1:
            return shape[1]
    return 0


def _any(pattern: str, stems: Iterable[str]) -> bool:
    return any(re.search(pattern, stem) for stem in stems)
