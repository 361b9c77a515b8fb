"""FLUX.1: dev, schnell, Fill, and those that follow a canny or depth picture."""

from __future__ import annotations

import math
from dataclasses import replace

from nodegraph.modelfiles.families.family import Defaults, Encoder, Family, Variant
from nodegraph.modelfiles.families.telling import tell
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.transformer_configs import flux_config
from nodegraph.values import LatentFormat, NoiseSchedule

FLUX_LATENT = LatentFormat("flux", channels=16, down=8, scale=0.3611, shift=0.1159)

ENCODERS = (
    Encoder("clip_l", ("text_encoders.clip_l.transformer.",), pooled=True),
    Encoder("t5xxl", ("text_encoders.t5xxl.transformer.",), padding=0, length=256),
)

SHIFTED = NoiseSchedule("flux", shift=math.exp(1.15))
"""The levels for pictures of about a megapixel (mu 1.15); the scheduler `flux_shift` asks the size."""

TEXT, CONTROL, FILL = 1, 2, 6
"""How often the features of what is denoised go into those that the network is given."""


def _takes(denoiser: Shapes, times: int) -> bool:
    """Whether it is a FLUX.1 that is given so many times the features of what it denoises.

    Chroma has no vector_in, and neither has FLUX.2; a LoRA or ControlNet for FLUX has no img_in of its own
    or more than that.
    """
    needed = (
        "img_in.weight", "vector_in.in_layer.weight", "double_blocks.0.img_attn.norm.key_norm.scale",
        "single_blocks.0.linear1.weight", "final_layer.linear.weight",
    )  # fmt: skip
    if any(name not in denoiser for name in needed):
        return False
    return denoiser["img_in.weight"][-1] == times * denoiser["final_layer.linear.weight"][0]


def _is_distilled(denoiser: Shapes) -> bool:
    """Whether it is told a guidance scale."""
    return "guidance_in.in_layer.weight" in denoiser


def is_dev(denoiser: Shapes) -> bool:
    """Text to picture, told a guidance scale."""
    return _takes(denoiser, TEXT) and _is_distilled(denoiser)


def is_schnell(denoiser: Shapes) -> bool:
    """Text to picture in few steps, told no guidance scale."""
    return _takes(denoiser, TEXT) and not _is_distilled(denoiser)


def is_control(denoiser: Shapes) -> bool:
    """Given the latent of a control picture beside the noisy one."""
    return _takes(denoiser, CONTROL)


def is_fill(denoiser: Shapes) -> bool:
    """Given a masked picture and its mask beside the noisy latent."""
    return _takes(denoiser, FILL)


FLUX_DEV = Family(
    name="flux_dev",
    title="FLUX.1 dev",
    detect=is_dev,
    config=flux_config,
    network="nodegraph.diffusion.nets.flux:Flux",
    denoiser="nodegraph.diffusion.transformers:flux_denoiser",
    encoders=ENCODERS,
    latent=FLUX_LATENT,
    tell=tell,
    predictions=("flow",),
    schedule=SHIFTED,
    defaults=Defaults(1024, 1024, steps=20, cfg=1.0, guidance=3.5),
    variants=(
        Variant(
            "kontext", "FLUX.1 Kontext", ("kontext",), Defaults(1024, 1024, steps=20, cfg=1.0, guidance=2.5)
        ),
    ),
)

FLUX_SCHNELL = replace(
    FLUX_DEV,
    name="flux_schnell",
    title="FLUX.1 schnell",
    detect=is_schnell,
    schedule=NoiseSchedule("flow"),
    defaults=Defaults(1024, 1024, steps=4, cfg=1.0),
    variants=(),
)

FLUX_FILL = replace(
    FLUX_DEV,
    name="flux_fill",
    title="FLUX.1 Fill",
    detect=is_fill,
    defaults=Defaults(1024, 1024, steps=20, cfg=1.0, guidance=30.0),
    variants=(),
)

FLUX_CONTROL = replace(
    FLUX_DEV,
    name="flux_control",
    title="FLUX.1 canny or depth",
    detect=is_control,
    defaults=Defaults(1024, 1024, steps=20, cfg=1.0, guidance=30.0),
    variants=(
        Variant("canny", "FLUX.1 canny", ("canny",)),
        Variant("depth", "FLUX.1 depth", ("depth",), Defaults(1024, 1024, steps=20, cfg=1.0, guidance=10.0)),
    ),
)
