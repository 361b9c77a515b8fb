"""What the UNet families share: which tensors make a UNet, and the variants by its input channels."""

from __future__ import annotations

from dataclasses import replace

from nodegraph.modelfiles.families.family import Family, Told, Variant
from nodegraph.modelfiles.families.telling import declared_prediction, tell
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import Sources

UNET = "nodegraph.diffusion.nets.unet:UNet"
UNET_DENOISER = "nodegraph.diffusion.unet_denoiser:unet_denoiser"
FIRST = "input_blocks.0.0.weight"
LABELS = "label_emb.0.0.weight"
HEAD_WIDTH = 64
"""Channels per attention head of every family after SD 1.x."""

INPAINT = Variant("inpaint", "inpainting: a mask and a masked picture beside the noisy latent")
EDIT = Variant("edit", "editing by instruction: a picture beside the noisy latent")
_BY_CHANNELS = {4: "", 8: EDIT.name, 9: INPAINT.name}


def is_unet(denoiser: Shapes) -> bool:
    """Whether the tensors make a UNet that denoises a latent of 4 channels, alone or beside a picture.

    4 channels are the noisy latent; 8 add the latent of a picture (Brooks et al. 2023, InstructPix2Pix);
    9 a mask and the latent of a masked picture (Rombach et al. 2022, the released inpainting model).
    """
    first = denoiser.get(FIRST, ())
    video = any(".time_stack." in name for name in denoiser)
    return len(first) == 4 and first[1] in _BY_CHANNELS and not video


def has_linear_entries(denoiser: Shapes) -> bool:
    """Whether the transformers are entered by matrices; SD 1.x has 1x1 convolutions."""
    return any(len(shape) == 2 for name, shape in denoiser.items() if name.endswith("1.proj_in.weight"))


def label_width(denoiser: Shapes) -> int:
    """Width of the vector beside the timestep; 0 if there is none."""
    return denoiser.get(LABELS, (0, 0))[-1]


def tell_unet(family: Family, header: Header, denoiser: Sources) -> Told:
    """The usual rules and the input channels; a file that is silent about its prediction type is noted."""
    told = tell_channels(family, header, denoiser)
    silent = not told.variant and declared_prediction(family, header) is None
    return assume_prediction(family, told) if silent else told


def assume_prediction(family: Family, told: Told) -> Told:
    """With the note that the usual prediction type was taken for granted, since tensors do not tell it."""
    usual, *others = family.predictions
    note = (
        f"taken for {usual} prediction, since models of {' or '.join(others)} prediction have the same "
        "tensors: set 'prediction' if it is one"
    )
    return replace(told, notes=(*told.notes, note)) if others else told


def tell_channels(family: Family, header: Header, denoiser: Sources) -> Told:
    """The usual rules; a UNet with more than four input channels is the variant that they stand for."""
    told = tell(family, header, denoiser)
    channels = denoiser[FIRST].shape(header.shapes)[1]
    return replace(told, variant=_BY_CHANNELS[channels] or told.variant)
