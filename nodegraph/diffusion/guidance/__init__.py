"""Guidance: how predictions under several prompts become the one that a sampler follows."""

from __future__ import annotations

from nodegraph.diffusion.guidance.guided import Guided, Rule, basic_rule, cfg_rule, dual_cfg_rule, guided
from nodegraph.diffusion.guidance.kinds import Denoise, WithNegative, with_negative

__all__ = [
    "Denoise",
    "Guided",
    "Rule",
    "WithNegative",
    "basic_rule",
    "cfg_rule",
    "dual_cfg_rule",
    "guided",
    "with_negative",
]
