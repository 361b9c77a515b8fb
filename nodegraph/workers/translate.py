"""Events of the engine as they travel: kind and fields, pictures apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodegraph.errors import Problem
from nodegraph.execution import events
from nodegraph.values import Image

Told = tuple[str, dict[str, Any], Image | None]
Translate = Callable[[Any], Told | None]


def translation(outputs: Path) -> Callable[[events.Event], Told | None]:
    """What an event says to those outside; None for those that the server itself tells better.

    outputs: the folder against which paths of saved files are told.
    """
    known: Mapping[type, Translate] = {
        events.RunStarted: lambda e: ("planned", {"to_run": e.to_run, "reused": e.reused}, None),
        events.FileHashed: lambda e: ("hashing", {"name": e.name, "done": e.done, "total": e.total}, None),
        events.NodeStarted: lambda e: ("node_started", {"node": e.node}, None),
        events.NodeProgress: lambda e: ("progress", {"node": e.node, "done": e.done, "total": e.total}, None),
        events.NodePreview: lambda e: ("preview", {"node": e.node, "final": False}, e.image),
        events.NodeShown: lambda e: ("preview", {"node": e.node, "final": True}, e.image),
        events.NodeFinished: lambda e: (
            "node_finished",
            {
                "node": e.node, "outcome": e.outcome, "seconds": e.seconds, "loading": e.loading,
                "size": e.size, "peak": e.peak,
            },
            None,
        ),
        events.NodeSaved: lambda e: (
            "saved",
            {
                "node": e.node, "path": told_path(e.artifact.path, outputs),
                "media_type": e.artifact.media_type, "size": e.artifact.size,
            },
            None,
        ),
        events.NodeFailed: lambda e: ("node_failed", {"node": e.node, "problem": data_of(e.problem)}, None),
    }  # fmt: skip

    def translate(event: events.Event) -> Told | None:
        told = known.get(type(event))
        return told(event) if told is not None else None

    return translate


def told_path(path: Path, outputs: Path) -> str:
    """A saved file's path, from the output folder where it lies in it."""
    return path.relative_to(outputs).as_posix() if path.is_relative_to(outputs) else str(path)


def data_of(problem: Problem) -> dict[str, str | None]:
    """A problem as JSON data."""
    names = ("code", "message", "node", "title", "input", "expected", "found", "remedy")
    return {name: getattr(problem, name) for name in names}


def packed(image: Image) -> bytes:
    """A small picture as JPEG: the first of a batch."""
    from PIL import Image as Picture

    pixels = image.pixels[0, ..., :3].mul(255).round().clamp(0, 255).byte().cpu().numpy()
    buffer = io.BytesIO()
    Picture.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
