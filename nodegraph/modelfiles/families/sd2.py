"""Stable Diffusion 2.x: OpenCLIP-H tokens, 64 channels per head, eps or velocity."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from nodegraph.modelfiles.families.family import Defaults, Encoder, Family, Told, Variant
from nodegraph.modelfiles.families.telling import declared_prediction
from nodegraph.modelfiles.families.unets import (
    EDIT,
    HEAD_WIDTH,
    INPAINT,
    UNET,
    UNET_DENOISER,
    assume_prediction,
    has_linear_entries,
    is_unet,
    label_width,
    tell_channels,
)
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes, unet_config
from nodegraph.modelfiles.sources import Sources
from nodegraph.modelfiles.values_of import values_of
from nodegraph.values import SD1_LATENT

WITNESS = "output_blocks.11.1.transformer_blocks.0.norm1.bias"
WIDE = 0.09
"""Standard deviation of the witness above which a UNet predicts velocity (ComfyUI's rule)."""


def is_sd2(denoiser: Shapes) -> bool:
    """A UNet without labels whose transformers begin with a matrix."""
    return is_unet(denoiser) and not label_width(denoiser) and has_linear_entries(denoiser)


def tell_sd2(family: Family, header: Header, denoiser: Sources) -> Told:
    """The 768 pixel models predict velocity, the 512 pixel ones noise, and their tensors are the same.

    Where neither marker nor metadata say which, the spread of one bias does: training for velocity leaves it
    wider. Inpainting models and SD Turbo are known to predict noise.
    """
    told = tell_channels(family, header, denoiser)
    if declared_prediction(family, header) is not None or told.variant:
        return told
    values = values_of(header, denoiser[WITNESS].names[0]) if WITNESS in denoiser else None
    if values is None:
        return assume_prediction(family, told)
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1))
    prediction = "v" if spread > WIDE else "eps"
    note = (
        f"{prediction} prediction, told by the spread of one bias ({spread:.3f}; v is above {WIDE}): "
        "set 'prediction' if it is another"
    )
    return replace(told, prediction=prediction, notes=(*told.notes, note))


SD2 = Family(
    name="sd2",
    title="SD 2.x",
    detect=is_sd2,
    config=partial(unet_config, head_width=HEAD_WIDTH),
    network=UNET,
    denoiser=UNET_DENOISER,
    encoders=(
        Encoder("clip_h", ("cond_stage_model.model.", "conditioner.embedders.0.model."), layer=-2, padding=0),
    ),
    latent=SD1_LATENT,
    tell=tell_sd2,
    defaults=Defaults(768, 768),
    variants=(INPAINT, EDIT, Variant("turbo", "SD Turbo", ("turbo",), Defaults(512, 512, 1, 1.0))),
)
