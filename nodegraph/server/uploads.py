"""Uploaded pictures: looked into before they are kept, and kept under the name of their content."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import NamedTuple

from nodegraph.errors import InputError
from nodegraph.execution.files import write_whole

TYPES = {"PNG": (".png", "image/png"), "JPEG": (".jpg", "image/jpeg"), "WEBP": (".webp", "image/webp")}
MAX_PIXELS = 64 * 2**20
"""Of a picture: 8192 by 8192. What is larger once it is unpacked is refused before it is."""


class Kept(NamedTuple):
    """A kept upload: its name in its folder, its media type, and its bytes."""

    file: str
    media_type: str
    size: int


def keep_picture(folder: Path, data: bytes) -> Kept:
    """Keep a picture, if it is one. The same content is kept once.

    InputError: it is no PNG, JPEG or WebP, is damaged, has several frames, or too many pixels.
    """
    kind = _kind_of(data)
    suffix, media_type = TYPES[kind]
    name = hashlib.blake2b(data, digest_size=20).hexdigest() + suffix
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / name).exists():

        def write(path: Path) -> None:
            path.write_bytes(data)

        write_whole(folder / name, write)
    return Kept(name, media_type, len(data))


def _kind_of(data: bytes) -> str:
    """The format of a picture that can be read whole."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(io.BytesIO(data), formats=tuple(TYPES)) as picture:
                _check_size(*picture.size, frames=getattr(picture, "n_frames", 1))
                picture.load()
                return str(picture.format)
    except InputError:
        raise
    except PIL.Image.DecompressionBombError as error:
        raise _too_large() from error
    except Warning as error:
        raise _too_large() from error
    except PIL.UnidentifiedImageError as error:
        raise InputError(
            "this is no picture", code="not_a_picture", expected=", ".join(TYPES),
            remedy="Convert it to PNG, JPEG or WebP.",
        ) from error  # fmt: skip
    except Exception as error:  # decoders raise whatever they like
        raise InputError(
            f"the picture is damaged: {error}", code="picture_damaged", remedy="Save it again."
        ) from error


def _check_size(width: int, height: int, frames: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large()
    if frames > 1:
        raise InputError("the picture moves", code="not_a_picture", expected="one frame", found=f"{frames}")


def _too_large() -> InputError:
    return InputError(
        "the picture has too many pixels", code="picture_too_large", expected=f"at most {MAX_PIXELS:,}",
        remedy="Make it smaller.",
    )  # fmt: skip
