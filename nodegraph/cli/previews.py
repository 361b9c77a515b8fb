"""`nodegraph run --previews FOLDER`: unfinished and shown pictures as files, while the run goes on."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from nodegraph.engine import Engine
from nodegraph.errors import InputError
from nodegraph.execution import events
from nodegraph.execution.files import write_numbered
from nodegraph.graph.binding import BoundGraph
from nodegraph.hookspecs import Exporter
from nodegraph.runtime import RunRecord
from nodegraph.values import Image

_SIDE = 256
"""Previews have a pixel for a latent cell; in files they are enlarged to about this many, to be looked at."""


def listener(engine: Engine, graph: BoundGraph, folder: Path | None, show: events.Emit) -> events.Emit:
    """What a command listens with: `show`, and the files in `folder` if there is one."""
    return show if folder is None else PreviewFiles(engine, graph, folder, show).write


class PreviewFiles:
    """Writes `FOLDER/NODE_00001.png`, `_00002` …: previews as they come, then what `image.preview` shows."""

    def __init__(self, engine: Engine, graph: BoundGraph, folder: Path, forward: events.Emit) -> None:
        """`forward` gets every event. InputError if the folder cannot be written, before anything runs."""
        _make_folder(folder)
        self._engine = engine
        self._record = RunRecord(graph.document.to_json(), {}, {"preview": True})
        self._folder = folder
        self._forward = forward

    def write(self, event: events.Event) -> None:
        """Take note of an event."""
        match event:
            case events.NodePreview(node, image):
                self._write(node, _enlarged(image))
            case events.NodeShown(node, image):
                self._write(node, image)
            case _:
                pass
        self._forward(event)

    def _write(self, node: str, image: Image) -> None:
        exporter = self._engine.registry.exporter(Image, Path("preview.png"))
        for part in exporter.split(image):
            write_numbered(self._folder, node, ".png", partial(self._export, exporter, part))

    def _export(self, exporter: Exporter, part: object, path: Path) -> None:
        exporter.write(part, path, self._record)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "it may not be written"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise InputError(
            f"'{folder}' cannot take previews: {reason}", code="unwritable", remedy="Choose another folder."
        )


def _enlarged(image: Image) -> Image:
    factor = max(1, _SIDE // max(image.size))
    return image.map(lambda pixels: pixels.repeat_interleave(factor, 1).repeat_interleave(factor, 2))
