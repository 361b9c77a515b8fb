"""Noise, samplers and guiders as values: what `sample.custom` is put together from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Conditioning, Context, Guider, Model, Noise, Sampler, Seed, node
from nodegraph_nodes.sampling.sample import Cfg, SamplerName

Option = Annotated[float, Field(description="a number that the sampler takes by this name")]


@node("noise.random", category="Sampling/Custom", title="Random noise", lane="inline")
def random_noise(seed: Seed = 0) -> Noise:
    """Noise from a seed, added to the latent at the start and used by samplers that add noise in steps."""
    return Noise(seed)


@node("noise.none", category="Sampling/Custom", title="No noise", lane="inline")
def no_noise() -> Noise:
    """Add no noise at the start: for the second stage of a run."""
    return Noise(0, initial=False)


@node("sampler.select", category="Sampling/Custom", title="Select sampler", lane="cpu")
def select_sampler(ctx: Context, /, sampler: SamplerName = "euler", **options: Option) -> Sampler:
    """A sampler by name, with options of its own, such as eta (how much fresh noise) or s_noise (its scale).

    An option that the sampler does not have is an error that names those it has.
    """
    from nodegraph.diffusion.samplers.kinds import with_options

    with_options(ctx.choice("samplers", sampler), options)
    return Sampler.of(sampler, **options)


@node("guider.basic", category="Sampling/Custom", title="Basic guider", lane="inline")
def basic_guider(model: Model, positive: Conditioning) -> Guider:
    """Follow one conditioning, without guidance: for distilled models."""
    return Guider(model, "basic", (("positive", positive),))


@node("guider.cfg", category="Sampling/Custom", title="CFG guider", lane="inline")
def cfg_guider(model: Model, positive: Conditioning, negative: Conditioning, cfg: Cfg = 7.0) -> Guider:
    """Classifier-free guidance: away from the negative, towards the positive."""
    return Guider(model, "cfg", (("positive", positive), ("negative", negative)), (("cfg", cfg),))


@node("guider.dual_cfg", category="Sampling/Custom", title="Dual CFG guider", lane="inline")
def dual_cfg_guider(
    model: Model,
    first: Conditioning,
    second: Conditioning,
    negative: Conditioning,
    cfg: Cfg = 7.0,
    cfg_second: Cfg = 1.5,
    style: Literal["regular", "nested"] = "regular",
) -> Guider:
    """Two steps of guidance: cfg_second from negative to second, cfg from second to first.

    InstructPix2Pix uses it with text and picture as first, the picture alone as second. "nested" guides
    from second to first, and from negative to what comes out.
    """
    prompts = (("positive", first), ("second", second), ("negative", negative))
    options = (("cfg", cfg), ("cfg_second", cfg_second), ("style", style))
    return Guider(model, "dual_cfg", prompts, options)
