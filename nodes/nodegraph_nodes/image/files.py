"""`image.load`, `image.save`, `image.preview`: pictures in files, with their workflow inside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from nodegraph import Context, File, Image, Mask, node
from nodegraph.errors import InputError
from nodegraph.graph.embedding import png_text
from nodegraph.hookspecs import Exporter
from nodegraph.runtime import RunRecord

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

ImageName = Annotated[str, File("images")]
Prefix = Annotated[
    str, Field(min_length=1, max_length=200, description="start of the file name; may name folders")
]


class LoadedImage(NamedTuple):
    """A picture, and where it is transparent."""

    image: Image
    mask: Mask


@node("image.load", category="Image", title="Load image", lane="io")
def load(ctx: Context, file: ImageName) -> LoadedImage:
    """Read a picture (turned as its camera says). The mask is white where it is transparent."""
    import numpy as np
    import torch

    with _open(ctx.files.path(ctx.files.get("images", file)), file) as picture:
        rgba = np.asarray(picture.convert("RGBA"), dtype=np.float32) / 255.0
    pixels = torch.from_numpy(rgba)[None]
    return LoadedImage(Image(pixels[..., :3].contiguous()), Mask(1 - pixels[..., 3]))


@node("image.save", category="Image", title="Save image", lane="io", output=True)
def save(ctx: Context, image: Image, prefix: Prefix = "nodegraph") -> None:
    """Save every picture of a batch as a PNG with the workflow and the run record inside."""
    for single in split(image):
        ctx.save(prefix, ".png", "image/png", partial(write_png, single, record=ctx.record))


@node("image.preview", category="Image", title="Preview image", lane="io", output=True)
def preview(ctx: Context, image: Image) -> None:
    """Show a picture without saving it."""
    ctx.show(image)


def split(image: Image) -> Sequence[Image]:
    """The pictures of a batch, each as a batch of one."""
    return [Image(image.pixels[index : index + 1]) for index in range(image.pixels.shape[0])]


def write_png(image: Image, path: Path, record: RunRecord) -> None:
    """Write a picture [1,H,W,C] as PNG with the run record in its text."""
    _picture(image).save(path, format="PNG", pnginfo=png_text(record), compress_level=4)


def write_jpeg(image: Image, path: Path, record: RunRecord) -> None:
    """Write a picture [1,H,W,C] as JPEG with the run record in its EXIF user comment."""
    from nodegraph.graph.embedding import exif

    _picture(image).convert("RGB").save(path, format="JPEG", quality=95, exif=exif(record))


def write_webp(image: Image, path: Path, record: RunRecord) -> None:
    """Write a picture [1,H,W,C] as lossless WebP with the run record in its EXIF user comment."""
    from nodegraph.graph.embedding import exif

    _picture(image).save(path, format="WEBP", lossless=True, exif=exif(record))


EXPORTERS: list[Exporter] = [
    Exporter(Image, (".png",), write_png, split),
    Exporter(Image, (".jpg", ".jpeg"), write_jpeg, split),
    Exporter(Image, (".webp",), write_webp, split),
]


def _picture(image: Image) -> Picture:
    import PIL.Image

    pixels = (image.pixels[0].clamp(0, 1) * 255).round().byte().cpu().numpy()
    return PIL.Image.fromarray(pixels)


def _open(path: Path, name: str) -> Any:
    import PIL.Image
    import PIL.ImageOps

    try:
        picture = PIL.Image.open(path)
        picture.load()
        return PIL.ImageOps.exif_transpose(picture)
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise InputError(
            f"'{name}' is not a picture that can be read: {error}", code="bad_image", input="file",
            remedy="Open it in a picture program and save it as PNG.",
        ) from error  # fmt: skip
