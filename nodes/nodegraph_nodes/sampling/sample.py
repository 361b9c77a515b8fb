"""`sample`: noise becomes a latent, guided by conditioning."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodegraph import Choice, Conditioning, Context, Latent, Model, Seed, node
from nodegraph_nodes.sampling.running import joined, parts_of, step_reporter

SamplerName = Annotated[str, Choice("samplers")]
SchedulerName = Annotated[str, Choice("schedulers")]
Steps = Annotated[int, Field(ge=1, le=10000, description="more steps, more detail, more time")]
Cfg = Annotated[float, Field(ge=0, le=100, description="how strongly the prompt guides; 1 is no guidance")]
Denoise = Annotated[
    float, Field(ge=0, le=1, description="1 starts from noise, less keeps more of the latent")
]


@node("sample", category="Sampling", title="Sample", lane="device")
def sample(
    ctx: Context,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 7.0,
    sampler: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    denoise: Denoise = 1.0,
) -> Latent:
    """Turn noise into a latent that follows the positive and avoids the negative conditioning.

    Image i of a batch is the same as that image made alone. With a noise mask on the latent only the
    masked part changes.
    """
    from nodegraph.diffusion.latents import in_format
    from nodegraph.diffusion.sampling import sample as run_sampler

    on_step = step_reporter(ctx, model)
    with ctx.models.use(model) as denoiser:
        ctx.check_cancelled()
        start = in_format(latent, model.latent_format)
        sampled = [
            run_sampler(
                denoiser, positive, negative, part, seed=seed, steps=steps, cfg=cfg,
                sampler=ctx.choice("samplers", sampler), scheduler=ctx.choice("schedulers", scheduler),
                denoise=denoise, patches=model.patches, on_step=on_step,
            )
            for part in parts_of(ctx, start, (positive, negative))
        ]  # fmt: skip
        return joined(sampled, start)
