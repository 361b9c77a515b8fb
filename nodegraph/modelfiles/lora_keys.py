"""Parse the tensor names of a LoRA file: which module each belongs to, and which part of it it is.

Schemes (all map to a stem, the name of the adapted module, and a role):
kohya `STEM.lora_down.weight`, PEFT `STEM.lora_A.weight` and `STEM.lora_A.default.weight`, diffusers
`STEM.lora.down.weight`, `STEM.lora_linear_layer.down.weight` and `….processor.to_q_lora.down.weight`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_ROLE = re.compile(
    r"""(?P<stem>.+?)
    (?: \.lora_(?P<kohya>down|up|mid)\.weight
      | \.lora_(?P<peft>A|B)(?:\.[^.]+)?\.weight          # the infix is the adapter's name
      | (?:\.lora|\.lora_linear_layer|_lora)\.(?P<diffusers>down|up)\.weight
      | \.(?P<alpha>alpha)
    )""",
    re.VERBOSE,
)
_PEFT_ROLE = {"A": "down", "B": "up"}

_OTHER_ALGORITHM = re.compile(
    r"\.(hada_w|lokr_w|oft_|dora_scale|lora_magnitude|glora|a1\.weight|on_input|diff)"
)
"""Parts of methods whose product is not up · down; ignoring them would give a wrong picture silently."""


@dataclass(frozen=True, slots=True)
class LoraNames:
    """The names of a LoRA file, sorted out.

    modules: stem -> role (`down`, `up`, `mid`, `alpha`) -> tensor name; unknown: names of no scheme;
    unsupported: names of methods other than LoRA and LoCon.
    """

    modules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()


def parse(names: Iterable[str]) -> LoraNames:
    """Sort the tensor names of a file into modules and roles. Never fails: what it cannot read is listed."""
    modules: dict[str, dict[str, str]] = {}
    unknown: list[str] = []
    unsupported: list[str] = []
    for name in sorted(names):
        match = _ROLE.fullmatch(name)
        if _OTHER_ALGORITHM.search(name):
            unsupported.append(name)
        elif match is None:
            unknown.append(name)
        else:
            role = match["kohya"] or match["diffusers"] or match["alpha"] or _PEFT_ROLE[match["peft"]]
            modules.setdefault(match["stem"], {})[role] = name
    return LoraNames(modules, tuple(unknown), tuple(unsupported))


_KINDS: tuple[tuple[str, str], ...] = (
    (r"double_blocks|single_blocks|single_transformer_blocks", "a LoRA for FLUX"),
    (r"joint_blocks", "a LoRA for SD 3"),
    (r"lora_te2_|text_encoder_2\.|add_k_proj", "a LoRA for SDXL or a newer family"),
    (r"^transformer\.|lora_transformer_|^layers\.\d+\.", "a LoRA for a diffusion transformer"),
    (r"input_blocks_[478]_1_|transformer_blocks[._]9", "a LoRA for SDXL"),
    (r"^(unet\.)?down_blocks|^lora_unet_|^unet\.|^lora_te_", "a LoRA for a UNet of other blocks or names"),
)


def describe(names: LoraNames) -> str:
    """What a file looks like, in words, for the error that says that nothing in it fits."""
    stems = sorted(names.modules)
    for pattern, kind in _KINDS:
        if any(re.search(pattern, stem) for stem in stems):
            return f"{kind} (for example '{stems[0]}')"
    if stems:
        return f"a LoRA of an unknown naming scheme (for example '{stems[0]}')"
    examples = ", ".join(names.unknown[:3]) or "no tensors"
    return f"no LoRA: {examples}"
