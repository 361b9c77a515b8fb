"""The document inside pictures: written by save nodes, found again when a picture is opened as a workflow.

PNG: a compressed international text chunk named `nodegraph`; JPEG and WebP: the EXIF user comment, with the
prefix `nodegraph:`. The text is JSON: `{"document": …, "inputs": …, "run": …}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.loading import parse_json
from nodegraph.runtime import RunRecord

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.PngImagePlugin import PngInfo

KEY = "nodegraph"
_USER_COMMENT = 0x9286
_EXIF_IFD = 0x8769
_ASCII = b"ASCII\0\0\0"
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


def record_text(record: RunRecord) -> str:
    """The record as JSON text."""
    data = {"document": record.document, "inputs": record.inputs, "run": record.run}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def png_text(record: RunRecord) -> PngInfo:
    """The record as a compressed PNG text chunk."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(KEY, record_text(record), zip=True)
    return info


def exif(record: RunRecord) -> Exif:
    """The record as an EXIF user comment."""
    from PIL.Image import Exif

    tags = Exif()
    text = json.dumps(json.loads(record_text(record)))  # ASCII: the comment's character code says so
    tags.get_ifd(_EXIF_IFD)[_USER_COMMENT] = _ASCII + f"{KEY}:{text}".encode("ascii")
    return tags


def holds_picture(path: Path) -> bool:
    """Whether a file is a PNG, JPEG or WebP, by its first bytes. One that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return file.read(16).startswith(_MAGIC)
    except (OSError, ValueError):
        return False


def read_record(path: Path) -> dict[str, Any]:
    """The record inside a picture. WorkflowError if there is none."""
    import PIL.Image

    try:
        with PIL.Image.open(path) as picture:
            text = picture.info.get(KEY) or _from_exif(picture.getexif())
    except (OSError, ValueError, SyntaxError) as error:
        raise WorkflowError([Problem("bad_image", f"the picture '{path}' cannot be read: {error}")]) from None
    if not text:
        message = f"the picture '{path}' holds no workflow"
        raise WorkflowError([Problem("no_workflow", message, remedy="Use one that nodegraph saved.")])
    record = parse_json(text)
    if not isinstance(record, dict) or not isinstance(record.get("document"), dict):
        raise WorkflowError([Problem("no_workflow", f"the workflow inside '{path}' is damaged")])
    return record


def _from_exif(tags: Exif) -> str:
    comment = tags.get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    if isinstance(comment, bytes) and comment.startswith(_ASCII + KEY.encode() + b":"):
        return comment[len(_ASCII) + len(KEY) + 1 :].decode("ascii", "replace")
    return ""
