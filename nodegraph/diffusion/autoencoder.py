"""The autoencoder as nodes use it: pictures in 0 to 1, channels last."""

from __future__ import annotations

import torch
from torch import Tensor

from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.errors import InputError


class LiveAutoencoder:
    """An autoencoder with its weights: satisfies `nodegraph.runtime.LiveVae`.

    Results are float32 on the CPU, where values on edges live.
    """

    def __init__(self, vae: AutoencoderKL) -> None:
        self.vae = vae
        weight = next(vae.parameters())
        self._device, self._dtype = weight.device, weight.dtype

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels [B,H,W,3] in 0 to 1 -> mean latents [B,C,H/f,W/f]; sides must be multiples of f."""
        down, channels = self.vae.config.down, self.vae.config.image_channels
        _, height, width, found = pixels.shape
        if found != channels:
            raise InputError(
                "the autoencoder takes pictures without transparency",
                expected=f"{channels} channels",
                found=f"{found} channels",
            )
        if height % down or width % down:
            raise InputError(
                "the picture's size does not fit the autoencoder",
                expected=f"width and height that are multiples of {down}",
                found=f"{width} x {height}",
                remedy="Resize or crop the picture first.",
            )
        x = (pixels.permute(0, 3, 1, 2) * 2 - 1).to(self._device, self._dtype)
        return self.vae.encode(x).mean.float().cpu()

    @torch.no_grad()
    def decode(self, samples: Tensor) -> Tensor:
        """Latents [B,C,h,w] in the autoencoder's own space -> pixels [B,H,W,3], clamped to 0 to 1."""
        channels = self.vae.config.latent_channels
        if samples.shape[1] != channels:
            raise InputError(
                "the latent belongs to another family",
                expected=f"{channels} channels",
                found=f"{samples.shape[1]} channels",
            )
        x = self.vae.decode(samples.to(self._device, self._dtype)).float()
        return ((x + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).contiguous().cpu()
