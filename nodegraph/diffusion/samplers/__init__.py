"""Samplers: plain functions that follow noise levels down to a clean latent.

Each satisfies `nodegraph.runtime.Sampler`. They know no model: a denoiser gives x0 for (x, sigma), and a
sampler decides where to ask. Steps are taken in the notation of Karras et al. 2022 and Lu et al. 2022.
"""

from __future__ import annotations

from collections.abc import Mapping

from nodegraph.diffusion.samplers.dpm import dpmpp_2m, dpmpp_2m_sde
from nodegraph.diffusion.samplers.euler import ddim, euler, euler_ancestral
from nodegraph.diffusion.samplers.heun import heun
from nodegraph.diffusion.samplers.kinds import Brownian
from nodegraph.diffusion.samplers.lcm import lcm
from nodegraph.runtime import Sampler

SAMPLERS: Mapping[str, Sampler] = {
    "euler": euler,
    "euler_ancestral": euler_ancestral,
    "heun": heun,
    "dpmpp_2m": dpmpp_2m,
    "dpmpp_2m_sde": Brownian(dpmpp_2m_sde),
    "ddim": ddim,
    "lcm": lcm,
}
"""The samplers of this library by name."""

__all__ = [
    "SAMPLERS",
    "Brownian",
    "ddim",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "euler",
    "euler_ancestral",
    "heun",
    "lcm",
]
