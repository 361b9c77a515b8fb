"""Stable Diffusion 3 and 3.5: multimodal diffusion transformers of one layout in three sizes."""

from __future__ import annotations

from dataclasses import replace

from nodegraph.modelfiles.families.family import Defaults, Encoder, Family, Variant
from nodegraph.modelfiles.families.telling import tell
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.transformer_configs import mmdit_config
from nodegraph.values import LatentFormat, NoiseSchedule

SD3_LATENT = LatentFormat("sd3", channels=16, down=8, scale=1.5305, shift=0.0609)

ENCODERS = (
    Encoder("clip_l", ("text_encoders.clip_l.transformer.",), layer=-2, final_norm=False, pooled=True),
    Encoder(
        "clip_g", ("text_encoders.clip_g.transformer.",), layer=-2, final_norm=False, pooled=True, padding=0
    ),
    Encoder("t5xxl", ("text_encoders.t5xxl.transformer.",), padding=0),
)


def _is_mmdit(denoiser: Shapes) -> bool:
    return "joint_blocks.0.context_block.attn.qkv.weight" in denoiser


def _is_normed(denoiser: Shapes) -> bool:
    """Whether queries and keys are normed, which SD 3.5 brought."""
    return _is_mmdit(denoiser) and "joint_blocks.0.x_block.attn.ln_q.weight" in denoiser


def _is_dual(denoiser: Shapes) -> bool:
    """Whether the image attends to itself twice in the first block."""
    return "joint_blocks.0.x_block.attn2.qkv.weight" in denoiser


def is_sd3(denoiser: Shapes) -> bool:
    """The layout of SD 3 without normed queries."""
    return _is_mmdit(denoiser) and not _is_normed(denoiser) and not _is_dual(denoiser)


def is_sd35_medium(denoiser: Shapes) -> bool:
    """Normed queries and a second attention of the image."""
    return _is_normed(denoiser) and _is_dual(denoiser)


def is_sd35_large(denoiser: Shapes) -> bool:
    """Normed queries and one attention."""
    return _is_normed(denoiser) and not _is_dual(denoiser)


SD3 = Family(
    name="sd3",
    title="SD 3 medium",
    detect=is_sd3,
    config=mmdit_config,
    network="nodegraph.diffusion.nets.mmdit:MMDiT",
    denoiser="nodegraph.diffusion.transformers:mmdit_denoiser",
    encoders=ENCODERS,
    latent=SD3_LATENT,
    tell=tell,
    predictions=("flow",),
    schedule=NoiseSchedule("flow", shift=3.0),
    defaults=Defaults(1024, 1024, steps=28, cfg=5.0),
)

SD35_MEDIUM = replace(
    SD3,
    name="sd35_medium",
    title="SD 3.5 medium",
    detect=is_sd35_medium,
    defaults=Defaults(1024, 1024, steps=40, cfg=4.5),
)

SD35_LARGE = replace(
    SD3,
    name="sd35_large",
    title="SD 3.5 large",
    detect=is_sd35_large,
    defaults=Defaults(1024, 1024, steps=28, cfg=4.5),
    variants=(
        Variant("turbo", "SD 3.5 large turbo", words=("turbo",), defaults=Defaults(1024, 1024, 4, 1.0)),
    ),
)
