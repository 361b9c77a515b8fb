"""What a model file is, for people: family, parts, dtypes, metadata and its preview picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import TITLES, inspect
from nodegraph.modelfiles.loras import is_lora
from nodegraph.modelfiles.manifests import WHOLE, parts_of, read_model_header
from nodegraph.modelfiles.safetensors_header import Header

_PREVIEWS = (
    ".preview.png",
    ".png",
    ".preview.jpg",
    ".jpg",
    ".preview.jpeg",
    ".jpeg",
    ".preview.webp",
    ".webp",
)


@dataclass(frozen=True)
class Description:
    """A model file by its header.

    family: a supported one's name, else what the file is in words; note: why it cannot be used, or what
    could only be assumed; dtypes: the format's name -> bytes, the most first; parts: in words.
    """

    family: str
    variant: str
    prediction: str
    note: str
    parts: tuple[str, ...]
    tensors: int
    dtypes: Mapping[str, int]
    metadata: Mapping[str, str]
    preview: Path | None

    @property
    def dtype(self) -> str:
        """The dtype of most of the bytes; empty if there are no tensors."""
        return next(iter(self.dtypes), "")


def describe(path: Path) -> Description:
    """What the header of a file says. A file that is no safetensors is described by why it is none."""
    try:
        if path.name == WHOLE:
            return _whole(path)
        header = read_model_header(path)
    except ModelFileError as error:
        family = error.problem.found or "damaged"
        return Description(family, "", "", error.describe(), (), 0, {}, {}, preview_of(path))
    counted: Counter[str] = Counter()
    for info in header.tensors.values():
        counted[info.dtype] += info.end - info.begin
    family, variant, prediction, note, parts = _told(header)
    return Description(
        family, variant, prediction, note, parts, len(header.tensors), dict(counted.most_common()),
        header.metadata, preview_of(path),
    )  # fmt: skip


def _whole(path: Path) -> Description:
    """A pipeline folder: its denoiser, with the tensors of all its parts."""
    parts = {part: describe(file) for part, file in parts_of(path).items()}
    told = parts.get("unet") or parts["transformer"]
    counted: Counter[str] = Counter()
    for part in parts.values():
        counted.update(part.dtypes)
    names = tuple(f"{part} ({', '.join(one.parts) or one.note})" for part, one in parts.items())
    return replace(
        told, parts=names, tensors=sum(part.tensors for part in parts.values()),
        dtypes=dict(counted.most_common()), preview=preview_of(path),
    )  # fmt: skip


def preview_of(path: Path) -> Path | None:
    """The picture that lies beside a model file under its name, or None."""
    candidates = (path.with_name(path.stem + suffix) for suffix in _PREVIEWS)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _told(header: Header) -> tuple[str, str, str, str, tuple[str, ...]]:
    try:
        found = inspect(header)
    except ModelFileError as error:
        problem = error.problem
        known = problem.found if problem.code == "model_family_unsupported" else None
        return known or _adapter(header) or "unknown", "", "", error.describe(), ()
    parts = tuple(TITLES.get(name, name) for name in found.components)
    return found.family or "none", found.variant, found.prediction, " ".join(found.notes), parts


def _adapter(header: Header) -> str:
    """Whether this is a LoRA, of whatever algorithm and naming."""
    return "a LoRA" if is_lora(header.tensors) else ""
