"""The shape of a network, as its keys show it: frozen, hashable, free of torch."""

from __future__ import annotations

from dataclasses import dataclass

HEADS_OF_SD1 = 8
"""Attention heads cannot be read from a state dict; every SD 1.x UNet has eight at every level."""


@dataclass(frozen=True, slots=True)
class UNetConfig:
    """A latent-diffusion UNet with cross attention. The defaults are those of Stable Diffusion 1.x.

    channels: width of every resolution level, fine to coarse; depths: transformer blocks after each
    residual block of that level (0 = no attention); context_dim: width of the text tokens; head_width:
    channels per attention head (None: `heads` heads whatever the width); linear: whether transformers are
    entered and left by linear maps instead of 1x1 convolutions; label_dim: width of the vector that is
    embedded beside the timestep (0 = none).
    """

    in_channels: int = 4
    out_channels: int = 4
    model_channels: int = 320
    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    res_blocks: int = 2
    depths: tuple[int, ...] = (1, 1, 1, 0)
    middle_depth: int = 1
    context_dim: int = 768
    time_dim: int = 1280
    heads: int = HEADS_OF_SD1
    head_width: int | None = None
    linear: bool = False
    label_dim: int = 0

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.depths):
            raise ValueError(
                f"{len(self.channels)} levels of channels, {len(self.depths)} of transformer depth"
            )

    def heads_of(self, channels: int) -> int:
        """Attention heads of a transformer of that width. ValueError if the width cannot be shared."""
        heads = self.heads if self.head_width is None else channels // self.head_width
        if not heads or channels % heads or (self.head_width and channels % self.head_width):
            raise ValueError(f"{channels} channels cannot be shared by attention heads")
        return heads

    @property
    def skip_channels(self) -> tuple[int, ...]:
        """Width of every tensor that the input path hands over to the output path, in order."""
        widths = [self.model_channels]
        for level, channels in enumerate(self.channels):
            widths += [channels] * self.res_blocks
            if level + 1 < len(self.channels):
                widths.append(channels)  # the downsampled tensor
        return tuple(widths)


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """A KL autoencoder in the LDM layout. The defaults are those of Stable Diffusion 1.x.

    channels: width of every level, fine to coarse; res_blocks: of the encoder (the decoder has one more
    per level); attention: levels with attention after each residual block (the middle always has it);
    quant: whether 1x1 convolutions stand between latents and the rest (not in SD 3 and FLUX).
    """

    image_channels: int = 3
    latent_channels: int = 4
    base_channels: int = 128
    channels: tuple[int, ...] = (128, 256, 512, 512)
    res_blocks: int = 2
    attention: tuple[bool, ...] = (False, False, False, False)
    quant: bool = True

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.attention):
            raise ValueError(f"{len(self.channels)} levels of channels, {len(self.attention)} of attention")

    @property
    def down(self) -> int:
        """Pixels per latent cell along one side."""
        return int(2 ** (len(self.channels) - 1))


@dataclass(frozen=True, slots=True)
class ClipTextConfig:
    """A CLIP text transformer. The defaults are those of CLIP ViT-L/14, the encoder of SD 1.x.

    activation: of the feed forward ("quick_gelu" in CLIP-L, "gelu" in OpenCLIP's); projection: width of the
    projected pooled vector (0: the encoder has no projection).
    """

    vocabulary: int = 49408
    positions: int = 77
    width: int = 768
    layers: int = 12
    hidden: int = 3072
    activation: str = "quick_gelu"
    projection: int = 0

    @property
    def heads(self) -> int:
        """CLIP's rule is 64 channels per head; an encoder narrower than 256 keeps four heads.

        Heads leave no trace in a state dict, so this is a convention: 12 heads for CLIP-L (768), four
        for the small encoders of embedded models (128).
        """
        return max(self.width // 64, 4)


@dataclass(frozen=True, slots=True)
class T5Config:
    """The encoder of a T5 1.1 with gated GELU. The defaults are those of T5-XXL."""

    vocabulary: int = 32128
    width: int = 4096
    layers: int = 24
    heads: int = 64
    head_width: int = 64
    hidden: int = 10240
