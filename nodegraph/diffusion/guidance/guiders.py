"""The values of guidance sockets as rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodegraph.diffusion.guidance.guided import Rule, basic_rule, cfg_rule, dual_cfg_rule
from nodegraph.errors import InputError


def _single(cfg: float) -> Rule:
    return cfg_rule(cfg)


def _dual(cfg: float, cfg_second: float, style: str = "regular") -> Rule:
    return dual_cfg_rule(cfg, cfg_second, nested=style == "nested")


RULES: Mapping[str, Callable[..., Rule]] = {
    "basic": basic_rule,
    "cfg": _single,
    "dual_cfg": _dual,
}
"""Rule of a `Guider` value -> what makes it of the guider's options."""


def rule_of(name: str, options: Mapping[str, Any]) -> Rule:
    """The rule of that name. InputError for one that is unknown."""
    if name not in RULES:
        raise InputError(
            f"the guidance '{name}' is unknown", input="guider", expected=", ".join(RULES), found=f"'{name}'"
        )
    return RULES[name](**options)
