"""`vae.encode`, `vae.decode` and their tiled forms: between pictures and latents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodegraph import Context, Image, Latent, Vae, node
from nodegraph.errors import InputError
from nodegraph.runtime import LiveVae, Tiling

TileSize = Annotated[int, Field(ge=64, le=8192, multiple_of=8, description="side of a tile in pixels")]
SMALL = Tiling(256, 32)
"""Tiles where memory has run out already."""
Overlap = Annotated[int, Field(ge=0, le=4096, multiple_of=8, description="pixels that neighbours share")]


@node("vae.decode", category="Latent", title="Decode latent", lane="device")
def decode(ctx: Context, vae: Vae, latent: Latent) -> Image:
    """Turn a latent into pictures. In tiles, which the log tells, where memory is short for one piece."""
    return _decode(ctx, vae, latent, None)


@node("vae.decode_tiled", category="Latent", title="Decode latent in tiles", lane="device")
def decode_tiled(
    ctx: Context, vae: Vae, latent: Latent, tile: TileSize = 512, overlap: Overlap = 64
) -> Image:
    """Turn a large latent into pictures tile by tile: slower, but with the memory of one tile.

    Neighbours are blended where they overlap, so that no seam is seen.
    """
    return _decode(ctx, vae, latent, Tiling(tile, overlap))


@node("vae.encode", category="Latent", title="Encode image", lane="device")
def encode(ctx: Context, vae: Vae, image: Image) -> Latent:
    """Turn pictures into a latent. Sides are cropped, around the centre, to a multiple of 8 pixels.

    In tiles, which the log tells, where memory is short for one piece.
    """
    return _encode(ctx, vae, image, None)


@node("vae.encode_tiled", category="Latent", title="Encode image in tiles", lane="device")
def encode_tiled(ctx: Context, vae: Vae, image: Image, tile: TileSize = 512, overlap: Overlap = 64) -> Latent:
    """Turn large pictures into a latent tile by tile. Sides are cropped as by vae.encode."""
    return _encode(ctx, vae, image, Tiling(tile, overlap))


def _decode(ctx: Context, vae: Vae, latent: Latent, tiling: Tiling | None) -> Image:
    if latent.samples.shape[1] != vae.latent_format.channels:
        raise InputError(
            "the latent does not belong to this VAE", input="latent",
            expected=f"{vae.latent_format.channels} channels", found=f"{latent.samples.shape[1]} channels",
            remedy="Use the VAE of the model that made the latent.",
        )  # fmt: skip
    height, width = (side * vae.latent_format.down for side in latent.samples.shape[-2:])
    with ctx.models.use(vae) as live:
        tiling = tiling or _automatic(ctx, live, width, height)
        return Image(live.decode(latent.samples, tiling).cpu())


def _encode(ctx: Context, vae: Vae, image: Image, tiling: Tiling | None) -> Latent:
    down = vae.latent_format.down
    width, height = (side // down * down for side in image.size)
    if not width or not height:
        raise InputError(
            "the image is too small to encode", input="image", expected=f"at least {down} by {down} pixels",
            found="{} by {}".format(*image.size), remedy="Enlarge it with image.resize.",
        )  # fmt: skip
    left, top = (image.size[0] - width) // 2, (image.size[1] - height) // 2
    pixels = image.pixels[:, top : top + height, left : left + width, :3]
    with ctx.models.use(vae) as live:
        tiling = tiling or _automatic(ctx, live, width, height)
        return Latent(live.encode(pixels, tiling).cpu(), vae.latent_format)


def _automatic(ctx: Context, live: LiveVae, width: int, height: int) -> Tiling | None:
    tiling = SMALL if ctx.tight else live.tiling_for(width, height)
    if tiling is not None:
        ctx.log.warning(
            "memory is short for %d x %d pixels in one piece: tiles of %d pixels", width, height, tiling.size
        )
    return tiling
