"""The UNet of latent diffusion with cross attention, with the key names of the original checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.attention import SpatialTransformer
from nodegraph.diffusion.nets.layers import conv1x1, conv3x3, group_norm, timestep_embedding, zeroed
from nodegraph.modelfiles.configs import UNetConfig


class UNet(nn.Module):
    """Predicts noise (or velocity) from a noisy latent, a timestep and the tokens of a prompt.

    Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models"; with a vector beside
    the timestep, Podell et al. 2023, "SDXL". The state dict is that of `model.diffusion_model.` in the
    original files of SD 1.x, 2.x and SDXL.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.time_embed = nn.Sequential(
            nn.Linear(config.model_channels, config.time_dim),
            nn.SiLU(),
            nn.Linear(config.time_dim, config.time_dim),
        )
        if config.label_dim:
            self.label_emb = nn.Sequential(
                nn.Sequential(
                    nn.Linear(config.label_dim, config.time_dim),
                    nn.SiLU(),
                    nn.Linear(config.time_dim, config.time_dim),
                )
            )
        self.input_blocks = nn.ModuleList(_input_path(config))
        self.middle_block = _middle(config)
        self.output_blocks = nn.ModuleList(_output_path(config))
        self.out = nn.Sequential(
            group_norm(config.channels[0], eps=1e-5),
            nn.SiLU(),
            zeroed(conv3x3(config.channels[0], config.out_channels)),
        )

    def forward(self, x: Tensor, t: Tensor, context: Tensor, vector: Tensor | None = None) -> Tensor:
        """x [B,in,h,w], t [B] (timestep, may be fractional), context [B,T,context_dim] -> [B,out,h,w].

        vector [B,label_dim] is needed where the config has a label_dim.
        """
        time = self.time_embed(timestep_embedding(t, self.config.model_channels).to(x.dtype))
        if self.config.label_dim:
            time = time + self.label_emb(vector)
        skips: list[Tensor] = []
        for block in self.input_blocks:
            x = block(x, time, context)
            skips.append(x)
        x = self.middle_block(x, time, context)
        for block in self.output_blocks:
            x = torch.cat([x, skips.pop()], dim=1)
            # An odd side halves to one too many; the next skip tells the size to come back to.
            x = block(x, time, context, skips[-1].shape[-2:] if skips else None)
        out: Tensor = self.out(x)
        return out


class Stage(nn.ModuleList):
    """Layers in a row, each given what it needs: time, prompt, or the size to grow to."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(layers)

    def forward(self, x: Tensor, time: Tensor, context: Tensor, size: torch.Size | None = None) -> Tensor:
        for layer in self:
            match layer:
                case ResBlock():
                    x = layer(x, time)
                case SpatialTransformer():
                    x = layer(x, context)
                case Upsample():
                    x = layer(x, size)
                case _:
                    x = layer(x)
        return x


class ResBlock(nn.Module):
    """Two convolutions with a residual; the embedded timestep is added between them."""

    def __init__(self, channels_in: int, channels_out: int, time_dim: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            group_norm(channels_in, eps=1e-5), nn.SiLU(), conv3x3(channels_in, channels_out)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time_dim, channels_out))
        self.out_layers = nn.Sequential(
            group_norm(channels_out, eps=1e-5),
            nn.SiLU(),
            nn.Identity(),  # dropout in the original; keeps the number in the key
            zeroed(conv3x3(channels_out, channels_out)),
        )
        same = channels_in == channels_out
        self.skip_connection = nn.Identity() if same else conv1x1(channels_in, channels_out)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x [B,channels_in,h,w], time [B,time_dim] -> [B,channels_out,h,w]."""
        h = self.in_layers(x) + self.emb_layers(time)[:, :, None, None]
        out: Tensor = self.skip_connection(x) + self.out_layers(h)
        return out


class Downsample(nn.Module):
    """Halves the resolution with a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = conv3x3(channels, channels, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.op(x)
        return out


class Upsample(nn.Module):
    """Grows to a size (twice the own where none is given) by repeating pixels, then convolves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = conv3x3(channels, channels)

    def forward(self, x: Tensor, size: torch.Size | None = None) -> Tensor:
        height, width = size if size is not None else (2 * x.shape[-2], 2 * x.shape[-1])
        out: Tensor = self.conv(functional.interpolate(x, size=(height, width), mode="nearest"))
        return out


def _attention(config: UNetConfig, channels: int, depth: int) -> list[nn.Module]:
    """The transformer after a residual block, where there is one."""
    if not depth:
        return []
    heads = config.heads_of(channels)
    return [SpatialTransformer(channels, config.context_dim, heads, depth, linear=config.linear)]


def _input_path(config: UNetConfig) -> Iterator[Stage]:
    """From fine to coarse; every stage's result is kept for the output path."""
    yield Stage(conv3x3(config.in_channels, config.model_channels))
    width = config.model_channels
    for level, (channels, depth) in enumerate(zip(config.channels, config.depths, strict=True)):
        for _ in range(config.res_blocks):
            yield Stage(ResBlock(width, channels, config.time_dim), *_attention(config, channels, depth))
            width = channels
        if level + 1 < len(config.channels):
            yield Stage(Downsample(channels))


def _middle(config: UNetConfig) -> Stage:
    """At the coarsest level: residual, attention, residual."""
    width = config.channels[-1]
    return Stage(
        ResBlock(width, width, config.time_dim),
        *_attention(config, width, config.middle_depth),
        ResBlock(width, width, config.time_dim),
    )


def _output_path(config: UNetConfig) -> Iterator[Stage]:
    """From coarse to fine; every stage also takes the kept tensor of the same resolution."""
    skips = list(config.skip_channels)
    width = config.channels[-1]
    for level in reversed(range(len(config.channels))):
        channels, depth = config.channels[level], config.depths[level]
        for index in range(config.res_blocks + 1):
            grow = [Upsample(channels)] if level > 0 and index == config.res_blocks else []
            yield Stage(
                ResBlock(width + skips.pop(), channels, config.time_dim),
                *_attention(config, channels, depth),
                *grow,
            )
            width = channels
