"""Parse the tensor names of a LoRA file: which layer each belongs to, and which part of it it is.

A name is a stem, which names the adapted layer in one of many spellings, and an ending, which tells the role
of the tensor: kohya's `STEM.lora_down.weight`, PEFT's `STEM.lora_A.weight` and `STEM.lora_A.default.weight`,
diffusers' older `STEM.lora.down.weight`, `STEM.lora_linear_layer.down.weight` and
`….processor.to_q_lora.down.weight`, x-labs' `….processor.qkv_lora1.down.weight`, LyCORIS' `STEM.hada_w1_a`,
`STEM.lokr_w1`, `STEM.a1.weight` and `STEM.dora_scale`, whole differences `STEM.diff` and `STEM.diff_b`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_ROLE = re.compile(
    r"""(?P<stem>.+?)
    (?: (?P<down> \.lora_down\.weight | \.lora_A(?:\.[^.]+)?\.weight      # the infix is the adapter's name
                | (?:\.lora|\.lora_linear_layer|_lora)\.down\.weight | (?<=_lora\d)\.down\.weight)
      | (?P<up>   \.lora_up\.weight | \.lora_B(?:\.[^.]+)?\.weight
                | (?:\.lora|\.lora_linear_layer|_lora)\.up\.weight | (?<=_lora\d)\.up\.weight)
      | (?P<up_bias> \.lora_B(?:\.[^.]+)?\.bias)
      | (?P<mid> \.lora_mid\.weight)
      | (?P<alpha> \.alpha)
      | (?P<dora> \.dora_scale)
      | (?P<magnitude> \.lora_magnitude_vector(?:\.[^.]+)?(?:\.weight)?)
      | (?P<diff> \.diff | \.w_norm)
      | (?P<diff_b> \.diff_b | \.b_norm)
      | \.(?P<other> hada_(?:w[12]_[ab]|t[12]) | lokr_(?:w[12](?:_[ab])?|t2) | [ab][12](?=\.weight))
        (?:\.weight)?
    )""",
    re.VERBOSE,
)

_OTHER_METHOD = re.compile(
    r"\.(oft_|boft_|on_input$|set_weight$|reshape_weight$|lora_embedding_|lora_E\b|vera_lambda|ia3_)"
)
"""Parts of methods that are not supported; ignoring them would give a wrong picture silently."""


@dataclass(frozen=True, slots=True)
class LoraNames:
    """The names of a LoRA file, sorted out.

    modules: stem -> role -> tensor name; unknown: names of no scheme; unsupported: names of methods that
    are known and not supported. Roles are `down`, `up`, `mid`, `up_bias` (LoRA), `hada_w1_a` … (LoHa),
    `lokr_w1` … (LoKr), `a1` to `b2` (GLoRA), `diff` and `diff_b`, `dora` (LyCORIS' scale) and `magnitude`
    (PEFT's) of DoRA, and `alpha`.
    """

    modules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()


def parse(names: Iterable[str]) -> LoraNames:
    """Sort the tensor names of a file into layers and roles. Never fails: what it cannot read is listed."""
    modules: dict[str, dict[str, str]] = {}
    unknown: list[str] = []
    unsupported: list[str] = []
    for name in sorted(names):
        match = _ROLE.fullmatch(name)
        if _OTHER_METHOD.search(name):
            unsupported.append(name)
        elif match is None:
            unknown.append(name)
        else:
            role = match["other"] or match.lastgroup or ""
            known = modules.setdefault(match["stem"], {}).setdefault(role, name)
            if known != name:  # the same part in two namings: the second is told of as unknown
                unknown.append(name)
    return LoraNames(modules, tuple(unknown), tuple(unsupported))
