"""Stable Diffusion 1.x and its fine-tunes, and the embedded model: the same network in miniature."""

from __future__ import annotations

from nodegraph.modelfiles.families.family import Encoder, Family
from nodegraph.modelfiles.families.unets import (
    EDIT,
    INPAINT,
    UNET,
    UNET_DENOISER,
    has_linear_entries,
    is_unet,
    label_width,
    tell_unet,
)
from nodegraph.modelfiles.shapes import Shapes, unet_config
from nodegraph.values import SD1_LATENT


def is_sd1(denoiser: Shapes) -> bool:
    """A UNet without labels whose transformers begin with a 1x1 convolution, whatever its widths."""
    return is_unet(denoiser) and not label_width(denoiser) and not has_linear_entries(denoiser)


SD1 = Family(
    name="sd1",
    title="SD 1.x",
    detect=is_sd1,
    config=unet_config,
    network=UNET,
    denoiser=UNET_DENOISER,
    encoders=(Encoder("clip_l", ("cond_stage_model.transformer.", "text_encoders.clip_l.transformer.")),),
    latent=SD1_LATENT,
    tell=tell_unet,
    variants=(INPAINT, EDIT),
)
