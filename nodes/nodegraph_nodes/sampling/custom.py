"""`sample.custom` and `sample.advanced`: sampling with everything in the user's hands."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from nodegraph import Conditioning, Context, Guider, Latent, Model, Noise, Sampler, Seed, Sigmas, node
from nodegraph_nodes.sampling.running import step_reporter
from nodegraph_nodes.sampling.sample import Cfg, SamplerName, SchedulerName, Steps

StepNumber = Annotated[int, Field(ge=0, le=10000, description="counted from 0 in the whole schedule")]


class CustomSampled(NamedTuple):
    """The latent at the last level, and the last clean estimate: the same where the last level is 0."""

    latent: Latent
    denoised: Latent


@node("sample.custom", category="Sampling/Custom", title="Sample (custom)", lane="device")
def sample_custom(
    ctx: Context, noise: Noise, guider: Guider, sampler: Sampler, sigmas: Sigmas, latent: Latent
) -> CustomSampled:
    """Follow noise levels with a sampler, guided by a guider.

    Where the levels end above 0, the latent keeps that much noise and `denoised` is the clean estimate.
    """
    from nodegraph.diffusion.latents import in_format
    from nodegraph.diffusion.samplers.kinds import with_options
    from nodegraph.diffusion.sampling import Guidance, sample_levels

    start = in_format(latent, guider.model.latent_format)
    on_step = step_reporter(ctx, guider.model)
    chosen = with_options(ctx.choice("samplers", sampler.name), dict(sampler.options))
    with ctx.models.use(guider.model) as denoiser:
        ctx.check_cancelled()
        made = sample_levels(
            denoiser, Guidance.of(guider), start, sigmas.values, noise, chosen, on_step=on_step
        )
    return CustomSampled(made.latent, made.denoised)


@node("sample.advanced", category="Sampling", title="Sample (advanced)", lane="device")
def sample_advanced(  # noqa: PLR0917 - its parameters are the inputs that users know from other tools
    ctx: Context,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    add_noise: bool = True,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 7.0,
    sampler: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    start_step: StepNumber = 0,
    end_step: StepNumber = 10000,
    leftover_noise: bool = False,
) -> Latent:
    """Run a part of a schedule: from start_step up to, not including, end_step.

    Without leftover_noise the last of these steps goes to a clean latent. Two stages of one run: the first
    with leftover noise, the second without added noise, from the step where the first ended.
    """
    from nodegraph.diffusion.latents import in_format
    from nodegraph.diffusion.sampling import Guidance, run_levels, sample_levels, stage_of

    latent = in_format(latent, model.latent_format)
    chosen = ctx.choice("samplers", sampler)
    on_step = step_reporter(ctx, model)
    guidance = Guidance("cfg", {"positive": positive, "negative": negative}, {"cfg": cfg}, model.patches)
    with ctx.models.use(model) as denoiser:
        ctx.check_cancelled()
        whole = run_levels(denoiser, ctx.choice("schedulers", scheduler), steps, 1.0, latent, chosen)
        levels = stage_of(whole, start_step, end_step, clean=not leftover_noise)
        noise = Noise(seed, initial=add_noise)
        return sample_levels(denoiser, guidance, latent, levels, noise, chosen, on_step=on_step).latent
