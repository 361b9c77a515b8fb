"""The samplers and schedulers of the built-in pack: names and help now, functions when first used."""

from __future__ import annotations

from functools import partial

from nodegraph.hookspecs import ChoiceEntry

SAMPLER_HELP = {
    "euler": "one evaluation a step; plain and dependable",
    "euler_ancestral": "Euler with fresh noise in every step; varied, never settles",
    "heun": "second order, two evaluations a step",
    "dpmpp_2m": "second order from two steps, one evaluation; good pictures in 20 steps",
    "dpmpp_2m_sde": "DPM++ 2M with Brownian noise; fine detail at more steps",
    "ddim": "the classic deterministic sampler",
    "lcm": "for latent consistency models, 2 to 8 steps",
}
SCHEDULER_HELP = {
    "normal": "evenly spaced timesteps",
    "karras": "small steps at low noise (rho 7)",
    "exponential": "even steps of log sigma",
    "sgm_uniform": "as normal, without the last tiny step",
    "simple": "every n-th level of the model's table",
    "ddim_uniform": "the levels that DDIM was published with",
    "beta": "more steps at both ends",
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
