"""SDXL: two text encoders and a vector of sizes; base, refiner, and the models distilled from the base."""

from __future__ import annotations

from functools import partial

from nodegraph.modelfiles.families.family import Defaults, Encoder, Family, Variant
from nodegraph.modelfiles.families.unets import (
    EDIT,
    HEAD_WIDTH,
    INPAINT,
    UNET,
    UNET_DENOISER,
    is_unet,
    label_width,
    tell_unet,
)
from nodegraph.modelfiles.shapes import Shapes, unet_config
from nodegraph.values import SDXL_LATENT

BASE_LABELS = 2816
"""1280 of the pooled prompt and 256 for each of six numbers (Podell et al. 2023, section 2.2)."""
REFINER_LABELS = 2560
"""1280 of the pooled prompt and 256 for each of five numbers."""


def is_sdxl(denoiser: Shapes) -> bool:
    """A UNet with the labels of SDXL, not normalised by Playground's own latent statistics."""
    return is_unet(denoiser) and label_width(denoiser) == BASE_LABELS


def is_refiner(denoiser: Shapes) -> bool:
    """A UNet with the labels of the refiner."""
    return is_unet(denoiser) and label_width(denoiser) == REFINER_LABELS


_BIG_G = partial(Encoder, "clip_g", layer=-2, final_norm=False, pooled=True, padding=0)

SDXL = Family(
    name="sdxl",
    title="SDXL",
    detect=is_sdxl,
    config=partial(unet_config, head_width=HEAD_WIDTH),
    network=UNET,
    denoiser=UNET_DENOISER,
    encoders=(
        Encoder("clip_l", ("conditioner.embedders.0.transformer.",), layer=-2, final_norm=False),
        _BIG_G(("conditioner.embedders.1.model.",)),
    ),
    latent=SDXL_LATENT,
    tell=tell_unet,
    defaults=Defaults(1024, 1024),
    variants=(
        INPAINT,
        EDIT,
        Variant("turbo", "SDXL Turbo", ("turbo",), Defaults(512, 512, 1, 1.0)),
        Variant("lightning", "SDXL Lightning", ("lightning",), Defaults(1024, 1024, 4, 1.0)),
    ),
)

REFINER = Family(
    name="sdxl_refiner",
    title="SDXL refiner",
    detect=is_refiner,
    config=partial(unet_config, head_width=HEAD_WIDTH),
    network=UNET,
    denoiser=UNET_DENOISER,
    encoders=(_BIG_G(("conditioner.embedders.0.model.",)),),
    latent=SDXL_LATENT,
    tell=tell_unet,
    defaults=Defaults(1024, 1024),
)
