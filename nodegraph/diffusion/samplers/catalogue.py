"""Every sampler of this library, with the facts that documentation and tests go by."""

from __future__ import annotations

from typing import NamedTuple

from nodegraph.diffusion.samplers import dpm, dpm2, dpm_solver, euler, heun, multistep, res, sde, seeds
from nodegraph.diffusion.samplers.er_sde import er_sde
from nodegraph.diffusion.samplers.kinds import Brownian, WithoutPenultimate
from nodegraph.diffusion.samplers.lcm import lcm
from nodegraph.diffusion.samplers.sa_solver import sa_solver, sa_solver_pece
from nodegraph.diffusion.samplers.uni_pc import uni_pc, uni_pc_bh2
from nodegraph.runtime import Sampler


class Entry(NamedTuple):
    """A sampler by name.

    order: at least that of convergence to the probability flow, first and last steps included and without
    noise (eta 0); None where there is no such limit. noise: "none", "white" (independent in every step) or
    "brownian" (increments of one path). evaluations: denoiser calls of a full step; None where they vary.
    """

    name: str
    sampler: Sampler
    paper: str
    order: int | None
    evaluations: int | None = 1
    noise: str = "none"


_DPMPP, _CFG_PP = "Lu et al. 2022, DPM-Solver++", "Chung et al. 2024, CFG++"

CATALOGUE = (
    Entry("euler", euler.euler, "Karras et al. 2022", 1),
    Entry("euler_cfg_pp", euler.euler_cfg_pp, _CFG_PP, 1),
    Entry("euler_ancestral", euler.euler_ancestral, "Song et al. 2021, DDIM", 1, 1, "white"),
    Entry("euler_ancestral_cfg_pp", euler.euler_ancestral_cfg_pp, _CFG_PP, 1, 1, "white"),
    Entry("heun", heun.heun, "Karras et al. 2022", 2, 2),
    Entry("heunpp2", heun.heunpp2, "Carzit 2023, Heun++", 1, 3),
    Entry("dpm_2", WithoutPenultimate(dpm2.dpm_2), "Karras et al. 2022", 2, 2),
    Entry("dpm_2_ancestral", WithoutPenultimate(dpm2.dpm_2_ancestral), "Karras et al. 2022", 2, 2, "white"),
    Entry("lms", multistep.lms, "Crowson 2022, k-diffusion", 2),
    Entry("dpm_fast", dpm_solver.dpm_fast, "Lu et al. 2022, DPM-Solver", 3),
    Entry("dpm_adaptive", dpm_solver.dpm_adaptive, "Lu et al. 2022, DPM-Solver", None, None),
    Entry("dpmpp_2s_ancestral", dpm.dpmpp_2s_ancestral, _DPMPP, 2, 2, "white"),
    Entry("dpmpp_2s_ancestral_cfg_pp", dpm.dpmpp_2s_ancestral_cfg_pp, _CFG_PP, None, 2, "white"),
    Entry("dpmpp_sde", Brownian(sde.dpmpp_sde), _DPMPP, 2, 2, "brownian"),
    Entry("dpmpp_2m", dpm.dpmpp_2m, _DPMPP, 2),
    Entry("dpmpp_2m_cfg_pp", dpm.dpmpp_2m_cfg_pp, _CFG_PP, 2),
    Entry("dpmpp_2m_sde", Brownian(sde.dpmpp_2m_sde), _DPMPP, 2, 1, "brownian"),
    Entry("dpmpp_2m_sde_heun", Brownian(sde.dpmpp_2m_sde_heun), _DPMPP, 2, 1, "brownian"),
    Entry("dpmpp_3m_sde", Brownian(sde.dpmpp_3m_sde), _DPMPP, 2, 1, "brownian"),
    Entry("ddpm", euler.ddpm, "Ho et al. 2020, DDPM", None, 1, "white"),
    Entry("ddim", euler.ddim, "Song et al. 2021, DDIM", 1),
    Entry("lcm", lcm, "Luo et al. 2023, LCM", None, 1, "white"),
    Entry("ipndm", multistep.ipndm, "Zhang & Chen 2023, DEIS", 2),
    Entry("ipndm_v", multistep.ipndm_v, "Zhou et al. 2024, AMED", 2),
    Entry("deis", multistep.deis, "Zhang & Chen 2023, DEIS", 2),
    Entry("res_multistep", res.res_multistep, "Zhang et al. 2023, RES", 2),
    Entry("res_multistep_cfg_pp", res.res_multistep_cfg_pp, _CFG_PP, 2),
    Entry("res_multistep_ancestral", res.res_multistep_ancestral, "Zhang et al. 2023, RES", 2, 1, "white"),
    Entry("res_multistep_ancestral_cfg_pp", res.res_multistep_ancestral_cfg_pp, _CFG_PP, 2, 1, "white"),
    Entry("gradient_estimation", res.gradient_estimation, "Permenter & Yuan 2024", 1),
    Entry("gradient_estimation_cfg_pp", res.gradient_estimation_cfg_pp, _CFG_PP, 1),
    Entry("er_sde", er_sde, "Cui et al. 2023, ER-SDE", None, 1, "white"),
    Entry("seeds_2", seeds.seeds_2, "Gonzalez et al. 2023, SEEDS", 2, 2, "white"),
    Entry("seeds_3", seeds.seeds_3, "Gonzalez et al. 2023, SEEDS", 3, 3, "white"),
    Entry("sa_solver", sa_solver, "Xue et al. 2023, SA-Solver", 3, 1, "white"),
    Entry("sa_solver_pece", sa_solver_pece, "Xue et al. 2023, SA-Solver", 3, 2, "white"),
    Entry("uni_pc", WithoutPenultimate(uni_pc), "Zhao et al. 2023, UniPC", 2),
    Entry("uni_pc_bh2", WithoutPenultimate(uni_pc_bh2), "Zhao et al. 2023, UniPC", 2),
)

ALIASES = {f"{name}_gpu": name for name in ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")}
"""Other names of samplers: where another tool draws noise on the device, it is made on the CPU here."""
