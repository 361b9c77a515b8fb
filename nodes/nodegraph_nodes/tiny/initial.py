"""Starting points: weights that carry the signal from the first step, and growing a trained UNet wider."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from nodegraph.diffusion.nets import unet as unet_module
from nodegraph.diffusion.nets import vae as vae_module
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.modelfiles.configs import UNetConfig


def _tap(conv: nn.Conv2d, *, noise: float, average: bool = False) -> None:
    """An orthogonal map of the channels, at the centre or averaging the window, plus scaled default noise."""
    weight = conv.weight
    centre = torch.empty(weight.shape[:2])
    nn.init.orthogonal_(centre)
    weight.mul_(noise)
    if average:
        weight.add_(centre[:, :, None, None] / weight.shape[-1] ** 2)
    else:
        middle = weight.shape[-1] // 2
        weight[:, :, middle, middle].add_(centre)


@torch.no_grad()
def start_vae(vae: AutoencoderKL) -> None:
    """Make the autoencoder nearly linear down- and upsampling, with every residual branch at zero.

    From here it reaches in 100 steps what default weights reach in several hundred.
    """
    for module in vae.modules():
        if isinstance(module, vae_module.ResBlock):
            module.conv2.weight.zero_()
            nn.init.zeros_(module.conv2.bias)  # type: ignore[arg-type]  # a convolution with a bias
            shortcut = getattr(module, "nin_shortcut", None)
            if isinstance(shortcut, nn.Conv2d):
                _tap(shortcut, noise=0.1)
        elif isinstance(module, vae_module.PixelAttention):
            module.proj_out.weight.zero_()
            nn.init.zeros_(module.proj_out.bias)  # type: ignore[arg-type]
        elif isinstance(module, vae_module.Downsample | vae_module.Upsample):
            _tap(module.conv, noise=0.1, average=isinstance(module, vae_module.Downsample))
    ends = (vae.encoder.conv_in, vae.encoder.conv_out, vae.decoder.conv_in, vae.decoder.conv_out)
    for conv in (*ends, vae.quant_conv, vae.post_quant_conv):
        _tap(conv, noise=0.1)


@torch.no_grad()
def start_unet(unet: UNet) -> None:
    """Let the skip, down and up convolutions of a fresh UNet hand the signal on."""
    for module in unet.modules():
        if isinstance(module, unet_module.ResBlock) and isinstance(module.skip_connection, nn.Conv2d):
            _tap(module.skip_connection, noise=0.0)
            nn.init.zeros_(module.skip_connection.bias)  # type: ignore[arg-type]
        elif isinstance(module, unet_module.Downsample):
            _tap(module.op, noise=0.3, average=True)
        elif isinstance(module, unet_module.Upsample):
            _tap(module.conv, noise=0.3)


def _widen(old: Tensor, size: int, dim: int, parts: list[int], *, split: bool) -> Tensor:
    """Repeat the channels of ``old`` along ``dim`` until it has ``size``; ``split`` shares an input's weight.

    ``parts`` are the widths of the tensors that are concatenated along ``dim``: each is repeated by itself.
    """
    if old.shape[dim] == size:
        return old
    missing = size - old.shape[dim]
    pieces: list[Tensor] = []
    for piece in reversed(torch.split(old, parts, dim)):  # the skip comes last and comes from the finer level
        width = piece.shape[dim]
        if missing >= width:
            shared = piece / 2 if split else piece
            pieces = [shared, shared, *pieces]
            missing -= width
        else:
            pieces = [piece, *pieces]
    if missing:
        raise ValueError(f"cannot double parts of {tuple(old.shape)} along {dim} to {size} channels")
    return torch.cat(pieces, dim)


def _widen_time(old: Tensor, rows: int, columns: int) -> Tensor:
    """The first layer on the timestep: the old frequencies are every second one of twice as many."""
    half = old.shape[1] // 2
    new = torch.zeros(rows, columns)
    doubled = torch.cat([old, old]) if rows == 2 * old.shape[0] else old
    new[:, 0 : columns // 2 : 2] = doubled[:, :half]
    new[:, columns // 2 :: 2] = doubled[:, half:]
    return new


def _parts(name: str, old: UNet, width: int) -> list[int]:
    """The widths that are concatenated into a layer's input, main path and skip; one width elsewhere."""
    pieces = name.split(".")
    if pieces[0] != "output_blocks" or pieces[2] != "0":
        return [width]
    if not ("in_layers" in name or "skip_connection" in name):
        return [width]
    skips = list(old.config.skip_channels)
    skip = skips[len(skips) - 1 - int(pieces[1])]
    return [width - skip, skip] if width > skip and "in_layers.2.bias" not in name else [width]


def grown(old: UNet, config: UNetConfig, noise: float = 0.02) -> UNet:
    """A UNet of a wider config that starts from a trained one: widths double until they fit.

    Raises ValueError if doubling the finest level does not lead there.
    """
    current = old
    while current.config != config:
        width = 2 * current.config.model_channels
        if width > config.model_channels:
            raise ValueError(f"a UNet of {old.config} cannot grow into one of {config}")
        step = config
        if width < config.model_channels:
            channels = (width, *current.config.channels[1:])
            time_dim = 2 * current.config.time_dim
            step = replace(config, model_channels=width, channels=channels, time_dim=time_dim)
        wider = UNet(step)
        grow_unet(current, wider, noise)
        current = wider
    return current


@torch.no_grad()
def grow_unet(old: UNet, new: UNet, noise: float = 0.02) -> None:
    """Start ``new`` from a trained UNet whose finest level is half as wide, computing (nearly) the same.

    Chen et al. 2016, "Net2Net": channels are doubled, and weights that read a doubled channel are halved. A
    little noise (a share of each weight's deviation) lets the twins learn different things. It is exact but
    for normalisation groups that straddle the concatenated skips; a few hundred steps heal that. Layers that
    the old network lacks keep their fresh weights, which start as the identity.
    """
    trained = old.state_dict()
    grown: dict[str, Tensor] = {}
    for name, fresh in new.state_dict().items():
        if name not in trained:
            grown[name] = fresh
            continue
        value = trained[name]
        if name == "time_embed.0.weight" and value.shape != fresh.shape:
            value = _widen_time(value, *fresh.shape)
        else:
            norm = "in_layers.0" in name
            rows = _parts(name, old, value.shape[0]) if norm else [value.shape[0]]
            value = _widen(value, fresh.shape[0], 0, rows, split=False)
            if value.ndim > 1:
                value = _widen(value, fresh.shape[1], 1, _parts(name, old, value.shape[1]), split=True)
        if value.ndim > 1 and trained[name].shape != fresh.shape:
            value = value + noise * value.std() * torch.randn_like(value)
        grown[name] = value
    new.load_state_dict(grown)
