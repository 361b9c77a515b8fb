"""`vae.encode` and `vae.decode`: between pictures and latents."""

from __future__ import annotations

from nodegraph import Context, Image, Latent, Vae, node
from nodegraph.errors import InputError


@node("vae.decode", category="Latent", title="Decode latent", lane="device")
def decode(ctx: Context, vae: Vae, latent: Latent) -> Image:
    """Turn a latent into pictures."""
    if latent.samples.shape[1] != vae.latent_format.channels:
        raise InputError(
            "the latent does not belong to this VAE", input="latent",
            expected=f"{vae.latent_format.channels} channels", found=f"{latent.samples.shape[1]} channels",
            remedy="Use the VAE of the model that made the latent.",
        )  # fmt: skip
    with ctx.models.use(vae) as live:
        return Image(live.decode(latent.samples).cpu())


@node("vae.encode", category="Latent", title="Encode image", lane="device")
def encode(ctx: Context, vae: Vae, image: Image) -> Latent:
    """Turn pictures into a latent. Sides are cropped, around the centre, to a multiple of 8 pixels."""
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
        return Latent(live.encode(pixels).cpu(), vae.latent_format)
