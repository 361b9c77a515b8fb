"""Samplers: plain functions that follow noise levels down to a clean latent.

Each satisfies `nodegraph.runtime.Sampler`. They know no model: a denoiser gives x0 for (x, sigma), and a
sampler decides where to ask. Steps are taken in the notation of Karras et al. 2022 and Lu et al. 2022.
"""

from __future__ import annotations

from collections.abc import Mapping

from nodegraph.diffusion.samplers.catalogue import ALIASES, CATALOGUE
from nodegraph.diffusion.samplers.kinds import Brownian, WithoutPenultimate, with_options
from nodegraph.runtime import Sampler

_BY_NAME = {entry.name: entry.sampler for entry in CATALOGUE}

SAMPLERS: Mapping[str, Sampler] = _BY_NAME | {alias: _BY_NAME[name] for alias, name in ALIASES.items()}
"""The samplers of this library by name."""

__all__ = ["ALIASES", "CATALOGUE", "SAMPLERS", "Brownian", "WithoutPenultimate", "with_options"]
