"""Guidance and FreeU as patches of a model: they work wherever the model is sampled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Model, node

Factor = Annotated[float, Field(ge=0, le=10)]
Fraction = Annotated[float, Field(ge=0, le=1, description="of the way from noise (0) to picture (1)")]
Scale = Annotated[float, Field(ge=0, le=100, description="0 is off")]
Layers = Annotated[str, Field(description="numbers of blocks, such as 7, 8, 9")]


@node("model.freeu", category="Model", title="FreeU", lane="cpu")
def freeu(
    model: Model,
    b1: Factor = 1.3,
    b2: Factor = 1.4,
    s1: Factor = 0.9,
    s2: Factor = 0.2,
    version: Literal["1", "2"] = "2",
) -> Model:
    """Strengthen the backbone (b) and weaken coarse skip features (s) in the UNet's decoder (Si et al. 2024).

    1 and 2 stand for the widest features and those half as wide. Version 2 scales the backbone by its
    structure.
    """
    from nodegraph.diffusion.guidance import patches

    record = patches.FreeU(b1=b1, b2=b2, s1=s1, s2=s2, version=2 if version == "2" else 1)
    return model.patched(patches.patch_of("freeu", record))


@node("model.rescale_cfg", category="Model", title="Rescale CFG", lane="cpu")
def rescale_cfg(model: Model, amount: Annotated[float, Field(ge=0, le=1)] = 0.7) -> Model:
    """Bring the contrast of guided predictions back to that of the positive prompt (Lin et al. 2023)."""
    from nodegraph.diffusion.guidance import patches

    return model.patched(patches.patch_of("rescale_cfg", patches.RescaleCfg(amount=amount)))


@node("model.cfg_zero_star", category="Model", title="CFG-Zero*", lane="cpu")
def cfg_zero_star(model: Model, zero_steps: Annotated[int, Field(ge=0, le=1000)] = 0) -> Model:
    """Guide from the negative prediction in its best scale (Fan et al. 2025), for flow models.

    In the first zero_steps steps nothing moves, as the paper does in the first.
    """
    from nodegraph.diffusion.guidance import patches

    return model.patched(patches.patch_of("cfg_zero_star", patches.CfgZeroStar(zero_steps=zero_steps)))


@node("model.limit_norm", category="Model", title="Limit norm of CFG", lane="cpu")
def limit_norm(model: Model, strength: Annotated[float, Field(ge=0, le=100)] = 1.0) -> Model:
    """Make guided predictions nowhere larger than those of the positive prompt (for Qwen-Image)."""
    from nodegraph.diffusion.guidance import patches

    return model.patched(patches.patch_of("limit_norm", patches.LimitNorm(strength=strength)))


@node("model.perturbed_attention", category="Model", title="Perturbed-attention guidance", lane="cpu")
def perturbed_attention(
    model: Model,
    scale: Scale = 3.0,
    blocks: Annotated[str, Field(description="names of blocks in the UNet")] = "middle_block",
    start: Fraction = 0.0,
    end: Fraction = 1.0,
) -> Model:
    """Guide away from what the UNet makes without self attention in some blocks (Ahn et al. 2024).

    Costs one more prediction in every step.
    """
    from nodegraph.diffusion.guidance import patches

    record = patches.PerturbedAttention(scale=scale, blocks=blocks, start=start, end=end)
    return model.patched(patches.patch_of("perturbed_attention", record))


@node("model.skip_layers", category="Model", title="Skip-layer guidance", lane="cpu")
def skip_layers(
    model: Model,
    layers: Layers = "7, 8, 9",
    single_layers: Layers = "",
    scale: Scale = 3.0,
    mode: Literal["extra", "negative"] = "extra",
    start: Fraction = 0.01,
    end: Fraction = 0.15,
) -> Model:
    """Guide away from what a transformer makes without some of its blocks, as SD 3.5 medium likes it.

    "extra" costs one more prediction in the given part of the run; "negative" lets the weakened transformer
    predict the negative prompt, without a scale of its own.
    """
    from nodegraph.diffusion.guidance import patches

    record = patches.SkipLayers(
        layers=layers, single_layers=single_layers, scale=scale, mode=mode, start=start, end=end
    )
    return model.patched(patches.patch_of("skip_layers", record))
