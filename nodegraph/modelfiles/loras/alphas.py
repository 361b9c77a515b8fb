"""The alpha of a layer where the file keeps it out of the tensors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_OWNERS = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")


def told_alphas(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """What diffusers saves of PEFT's configuration as `lora_adapter_metadata` (JSON); empty without it."""
    try:
        table = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def told_alpha(table: Mapping[str, Any], stem: str, rank: int) -> float | None:
    """The alpha of a layer by its name in the file; None where nothing is told.

    Rank-stabilised LoRA (Kalajdzievski 2023) divides alpha by the root of the rank: told here as the
    alpha that gives the same factor when divided by the rank.
    """
    owner, _, module = stem.partition(".")
    if owner not in _OWNERS:
        return None
    pattern = table.get(f"{owner}.alpha_pattern")
    alpha = None
    if isinstance(pattern, dict):
        alpha = next((value for key, value in pattern.items() if _means(str(key), module)), None)
    alpha = table.get(f"{owner}.lora_alpha") if alpha is None else alpha
    if isinstance(alpha, bool) or not isinstance(alpha, int | float):
        return None
    return alpha * math.sqrt(rank) if table.get(f"{owner}.use_rslora") is True else float(alpha)


def _means(key: str, module: str) -> bool:
    """PEFT's keys name a layer or end its name."""
    return module == key or module.endswith(f".{key}")
