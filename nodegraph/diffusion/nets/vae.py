"""The KL autoencoder of latent diffusion, with the key names of the original checkpoints."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.layers import conv1x1, conv3x3, group_norm
from nodegraph.modelfiles.configs import VaeConfig


class Moments(NamedTuple):
    """The posterior of a latent: mean and log variance, each [B,C,h,w]."""

    mean: Tensor
    log_variance: Tensor


class AutoencoderKL(nn.Module):
    """Pictures to small latents and back (Rombach et al. 2022, section 3.1).

    The state dict is that of `first_stage_model.` in an SD 1.x file. Pictures are [B,3,H,W] in -1 to 1.
    """

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        if config.quant:
            self.quant_conv = conv1x1(2 * config.latent_channels, 2 * config.latent_channels)
            self.post_quant_conv = conv1x1(config.latent_channels, config.latent_channels)

    def encode(self, pixels: Tensor) -> Moments:
        """Pictures [B,3,H,W] -> posterior of the latents [B,C,H/f,W/f]; log variance within -30 to 20."""
        moments = self.encoder(pixels)
        if self.config.quant:
            moments = self.quant_conv(moments)
        mean, log_variance = moments.chunk(2, dim=1)
        return Moments(mean, log_variance.clamp(-30.0, 20.0))

    def decode(self, samples: Tensor) -> Tensor:
        """Latents [B,C,h,w] -> pictures [B,3,h·f,w·f], about -1 to 1 (not clamped)."""
        out: Tensor = self.decoder(self.post_quant_conv(samples) if self.config.quant else samples)
        return out


class Encoder(nn.Module):
    """Residual levels from fine to coarse, a middle with attention, mean and log variance at the end."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.conv_in = conv3x3(config.image_channels, config.base_channels)
        self.down = nn.ModuleList()
        width = config.base_channels
        for level, channels in enumerate(config.channels):
            shrink = Downsample(channels) if level + 1 < len(config.channels) else None
            attention = config.attention[level]
            self.down.append(Level(width, channels, config.res_blocks, attention, downsample=shrink))
            width = channels
        self.mid = Middle(width)
        self.norm_out = group_norm(width, eps=1e-6)
        self.conv_out = conv3x3(width, 2 * config.latent_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
        out: Tensor = self.conv_out(functional.silu(self.norm_out(self.mid(x))))
        return out


class Decoder(nn.Module):
    """The mirror of the encoder, with one more residual block per level."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        width = config.channels[-1]
        self.conv_in = conv3x3(config.latent_channels, width)
        self.mid = Middle(width)
        levels: list[Level] = []
        for level in reversed(range(len(config.channels))):
            channels, attention = config.channels[level], config.attention[level]
            grow = Upsample(channels) if level > 0 else None
            levels.append(Level(width, channels, config.res_blocks + 1, attention, upsample=grow))
            width = channels
        self.up = nn.ModuleList(reversed(levels))  # numbered from fine to coarse, run from coarse to fine
        self.norm_out = group_norm(width, eps=1e-6)
        self.conv_out = conv3x3(width, config.image_channels)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            x = level(x)
        out: Tensor = self.conv_out(functional.silu(self.norm_out(x)))
        return out


class Level(nn.Module):
    """Residual blocks of one resolution, each followed by attention where the level has it."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        count: int,
        attention: bool,
        *,
        downsample: nn.Module | None = None,
        upsample: nn.Module | None = None,
    ) -> None:
        super().__init__()
        widths = [channels_in] + [channels_out] * (count - 1)
        self.block = nn.ModuleList(ResBlock(width, channels_out) for width in widths)
        self.attn = nn.ModuleList(PixelAttention(channels_out) for _ in widths if attention)
        self.downsample = downsample  # None leaves no key behind
        self.upsample = upsample

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if len(self.attn):
                x = self.attn[index](x)
        if self.downsample is not None:
            x = self.downsample(x)
        if self.upsample is not None:
            x = self.upsample(x)
        return x


class Middle(nn.Module):
    """Residual, attention, residual at the coarsest level."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1 = ResBlock(channels, channels)
        self.attn_1 = PixelAttention(channels)
        self.block_2 = ResBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return out


class ResBlock(nn.Module):
    """Two normalised convolutions with a residual."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.norm1 = group_norm(channels_in, eps=1e-6)
        self.conv1 = conv3x3(channels_in, channels_out)
        self.norm2 = group_norm(channels_out, eps=1e-6)
        self.conv2 = conv3x3(channels_out, channels_out)
        same = channels_in == channels_out
        self.nin_shortcut = nn.Identity() if same else conv1x1(channels_in, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        out: Tensor = self.nin_shortcut(x) + h
        return out


class PixelAttention(nn.Module):
    """Single-head self attention over the positions of a feature map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, eps=1e-6)
        self.q = conv1x1(channels, channels)
        self.k = conv1x1(channels, channels)
        self.v = conv1x1(channels, channels)
        self.proj_out = conv1x1(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        h = self.norm(x)
        q, k, v = (_positions(layer(h)) for layer in (self.q, self.k, self.v))
        mixed = functional.scaled_dot_product_attention(q, k, v)[:, 0]
        out: Tensor = self.proj_out(mixed.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
        return x + out


class Downsample(nn.Module):
    """Halves the resolution; the picture is padded at the right and the bottom only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(functional.pad(x, (0, 1, 0, 1)))
        return out


class Upsample(nn.Module):
    """Doubles the resolution by repeating pixels, then convolves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


def _positions(x: Tensor) -> Tensor:
    """[B,C,h,w] -> [B,1,h·w,C]: one head over all positions."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)[:, None]
