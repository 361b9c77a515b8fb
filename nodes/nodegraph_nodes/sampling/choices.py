"""The samplers and schedulers of the built-in pack: names and help now, functions when first used."""

from __future__ import annotations

from functools import partial

from nodegraph.hookspecs import ChoiceEntry

SAMPLER_HELP = {
    "euler": "one evaluation a step; plain and dependable",
    "euler_cfg_pp": "Euler with CFG++; cfg between 0 and 2",
    "euler_ancestral": "Euler with fresh noise in every step; varied, never settles",
    "euler_ancestral_cfg_pp": "ancestral Euler with CFG++; cfg between 0 and 2",
    "heun": "second order, two evaluations a step",
    "heunpp2": "Heun with a second look ahead; three evaluations a step",
    "dpm_2": "second order through the middle of a step, two evaluations",
    "dpm_2_ancestral": "DPM 2 with fresh noise in every step",
    "lms": "linear multistep; one evaluation a step, many steps",
    "dpm_fast": "DPM-Solver of third order at a fixed number of evaluations",
    "dpm_adaptive": "DPM-Solver that chooses its own steps; the number of steps has no effect",
    "dpmpp_2s_ancestral": "DPM++ 2S with fresh noise in every step; two evaluations",
    "dpmpp_2s_ancestral_cfg_pp": "ancestral DPM++ 2S with CFG++; cfg between 0 and 2",
    "dpmpp_sde": "DPM++ with Brownian noise; two evaluations a step, good at few steps",
    "dpmpp_2m": "second order from two steps, one evaluation; good pictures in 20 steps",
    "dpmpp_2m_cfg_pp": "DPM++ 2M with CFG++; cfg between 0 and 2",
    "dpmpp_2m_sde": "DPM++ 2M with Brownian noise; fine detail at more steps",
    "dpmpp_2m_sde_heun": "DPM++ 2M SDE with its slope integrated exactly",
    "dpmpp_3m_sde": "DPM++ with Brownian noise from three steps; for 30 steps and more",
    "ddpm": "the first sampler of diffusion models; many steps",
    "ddim": "the classic deterministic sampler",
    "lcm": "for latent consistency models, 2 to 8 steps",
    "ipndm": "four slopes with even weights; one evaluation a step",
    "ipndm_v": "ipndm that follows uneven steps",
    "deis": "exponential integrator from three steps; one evaluation",
    "res_multistep": "refined exponential solver from two steps; one evaluation",
    "res_multistep_cfg_pp": "res_multistep with CFG++; cfg between 0 and 2",
    "res_multistep_ancestral": "res_multistep with fresh noise in every step",
    "res_multistep_ancestral_cfg_pp": "ancestral res_multistep with CFG++; cfg between 0 and 2",
    "gradient_estimation": "Euler that looks where its slope is heading",
    "gradient_estimation_cfg_pp": "gradient estimation with CFG++; cfg between 0 and 2",
    "er_sde": "extended reverse-time SDE from three steps; one evaluation",
    "seeds_2": "exponential SDE solver; two evaluations a step",
    "seeds_3": "exponential SDE solver; three evaluations a step",
    "sa_solver": "stochastic Adams, predictor and corrector; one evaluation a step",
    "sa_solver_pece": "stochastic Adams that evaluates its corrections; two evaluations",
    "uni_pc": "predictor and corrector; good pictures in 10 steps",
    "uni_pc_bh2": "UniPC for strong guidance",
    "dpmpp_sde_gpu": "another name of dpmpp_sde",
    "dpmpp_2m_sde_gpu": "another name of dpmpp_2m_sde",
    "dpmpp_2m_sde_heun_gpu": "another name of dpmpp_2m_sde_heun",
    "dpmpp_3m_sde_gpu": "another name of dpmpp_3m_sde",
}
SCHEDULER_HELP = {
    "normal": "evenly spaced timesteps",
    "karras": "small steps at low noise (rho 7)",
    "exponential": "even steps of log sigma",
    "sgm_uniform": "as normal, without the last tiny step",
    "simple": "every n-th level of the model's table",
    "ddim_uniform": "the levels that DDIM was published with",
    "beta": "more steps at both ends",
    "linear_quadratic": "slow at first, then faster and faster; for flow models",
    "kl_optimal": "even steps of arctan sigma",
    "sd_turbo": "the ten levels that Turbo models know; 1 to 4 steps",
    "flux_shift": "FLUX's own levels for the size of the picture",
    "align_your_steps": "levels optimised for SD 1.5; good at 10 steps",
    "align_your_steps_sdxl": "levels optimised for SDXL; good at 10 steps",
}


def _sampler(name: str) -> object:
    from nodegraph.diffusion.samplers import SAMPLERS

    return SAMPLERS[name]


def _scheduler(name: str) -> object:
    from nodegraph.diffusion.schedulers import SCHEDULERS

    return SCHEDULERS[name]


CHOICES = [
    *(ChoiceEntry("samplers", name, text, partial(_sampler, name)) for name, text in SAMPLER_HELP.items()),
    *(
        ChoiceEntry("schedulers", name, text, partial(_scheduler, name))
        for name, text in SCHEDULER_HELP.items()
    ),
]
