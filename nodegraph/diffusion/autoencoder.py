"""The autoencoder as nodes use it: pictures in 0 to 1, channels last, in tiles where memory is short."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nodegraph.diffusion.device import free_bytes
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.tiling import blend, check_tiles
from nodegraph.errors import InputError
from nodegraph.runtime import Tiling

_LIVE_MAPS = 4
"""Feature maps of the finest level that are alive at once: block input, hidden, convolution output, spare."""

OVERLAP = 64
"""Pixels by which automatic tiles overlap, more than the reach of the convolutions near a border."""


class LiveAutoencoder:
    """An autoencoder with its weights: satisfies `nodegraph.runtime.LiveVae`.

    Results are float32 on the CPU, where values on edges live.
    """

    def __init__(self, vae: AutoencoderKL, free: Callable[[torch.device], int] = free_bytes) -> None:
        self.vae = vae
        self.count: Callable[[str, int], None] = lambda name, amount: None  # noqa: ARG005 - counts nothing
        weight = next(vae.parameters())
        self._device, self._dtype, self._free = weight.device, weight.dtype, free

    def tiling_for(self, width: int, height: int) -> Tiling | None:
        """Tiles for a picture of that size in pixels, where it needs more memory than is free; else None.

        The largest tiles that fit, 256 pixels at least: the network is not told to go lower.
        """
        free = self._free(self._device)
        if self.working_bytes(width, height) <= free:
            return None
        size = max(width, height)
        while size > 256 and self.working_bytes(min(size, width), min(size, height)) > free:
            size = max(256, size - 64)
        down = self.vae.config.down
        return Tiling(size // down * down, OVERLAP)

    def working_bytes(self, width: int, height: int) -> int:
        """About what one picture takes while it is decoded: feature maps of the finest level."""
        widths = self.vae.config.channels
        widest = max(widths[:2])  # the finest level begins with the channels of the next
        return _LIVE_MAPS * width * height * widest * self._dtype.itemsize

    @torch.no_grad()
    def encode(self, pixels: Tensor, tiling: Tiling | None = None) -> Tensor:
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
        cells = self._cells(tiling)
        if cells is None or max(width, height) <= cells[0] * down:
            return self._encode(pixels)

        def run(rows: slice, columns: slice) -> Tensor:
            self.count("vae_tiles", 1)
            return self._encode(pixels[:, _times(rows, down), _times(columns, down)])

        return blend(run, height // down, width // down, *cells, scale=1)

    @torch.no_grad()
    def decode(self, samples: Tensor, tiling: Tiling | None = None) -> Tensor:
        """Latents [B,C,h,w] in the autoencoder's own space -> pixels [B,H,W,3], clamped to 0 to 1."""
        channels = self.vae.config.latent_channels
        if samples.shape[1] != channels:
            raise InputError(
                "the latent belongs to another family",
                expected=f"{channels} channels",
                found=f"{samples.shape[1]} channels",
            )
        cells = self._cells(tiling)
        height, width = samples.shape[-2:]
        if cells is None or max(width, height) <= cells[0]:
            x = self._decode(samples)
        else:

            def run(rows: slice, columns: slice) -> Tensor:
                self.count("vae_tiles", 1)
                return self._decode(samples[..., rows, columns])

            x = blend(run, height, width, *cells, scale=self.vae.config.down)
        return ((x + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).contiguous().cpu()

    def _encode(self, pixels: Tensor) -> Tensor:
        x = (pixels.permute(0, 3, 1, 2) * 2 - 1).to(self._dtype)
        parts = self._parts(x, *pixels.shape[1:3])
        return torch.cat([self.vae.encode(part.to(self._device)).mean.float().cpu() for part in parts])

    def _decode(self, samples: Tensor) -> Tensor:
        down = self.vae.config.down
        x = samples.to(self._dtype)
        parts = self._parts(x, *(side * down for side in samples.shape[-2:]))
        return torch.cat([self.vae.decode(part.to(self._device)).float().cpu() for part in parts])

    def _parts(self, x: Tensor, height: int, width: int) -> list[Tensor]:
        """A batch in as many parts as memory asks for: mostly one."""
        count = max(1, self._free(self._device) // max(1, self.working_bytes(width, height)))
        return [x[first : first + count] for first in range(0, len(x), count)]

    def _cells(self, tiling: Tiling | None) -> tuple[int, int] | None:
        """Tile and overlap in latent cells. InputError where they cannot be."""
        if tiling is None:
            return None
        down = self.vae.config.down
        tile, overlap = tiling.size // down, tiling.overlap // down
        check_tiles(tile, overlap)
        return tile, overlap


def _times(part: slice, factor: int) -> slice:
    return slice(part.start * factor, part.stop * factor)
