"""Events of a run: small frozen records that the server, the CLI and the tests read alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from nodegraph.errors import Problem
from nodegraph.runtime import Artifact
from nodegraph.values import Image

Outcome = Literal["ran", "memory", "disk", "shared", "saved", "failed", "skipped", "cancelled"]
"""What became of a node: it ran; its result was reused from memory, from disk, or from another run that was
just making it; its files were saved already; it failed; what it reads failed; the run was cancelled."""

Status = Literal["done", "failed", "cancelled"]


class RunStarted(Struct, frozen=True):
    """A run begins: how many nodes will run, and how many results are reused."""

    to_run: int
    reused: int


class FileHashed(Struct, frozen=True):
    """A file is being hashed before the run: bytes done of all."""

    name: str
    done: int
    total: int


class NodeStarted(Struct, frozen=True, gc=False):
    """A node begins to run."""

    node: str


class NodeProgress(Struct, frozen=True, gc=False):
    """A node has finished `done` of `total` steps."""

    node: str
    done: int
    total: int


class NodePreview(Struct, frozen=True):
    """A small picture of a node's unfinished result: only in runs that are asked for previews."""

    node: str
    image: Image


class NodeShown(Struct, frozen=True):
    """A node shows a finished picture."""

    node: str
    image: Image


class NodeSaved(Struct, frozen=True):
    """A node saved a file; or the file that it would save lies there from an earlier run."""

    node: str
    artifact: Artifact


class NodeFinished(Struct, frozen=True, gc=False):
    """A node has its result. seconds: wall time in the node; loading: of that, spent loading weights.

    size: bytes of its outputs as the cache counts them, 0 where nobody knows. peak: the most bytes that the
    device held at once while the node ran, 0 where the device does not tell.
    """

    node: str
    outcome: Outcome
    seconds: float = 0.0
    loading: float = 0.0
    size: int = 0
    peak: int = 0


class NodeFailed(Struct, frozen=True):
    """A node raised; everything downstream of it is skipped."""

    node: str
    problem: Problem


class RunFinished(Struct, frozen=True):
    """The run is over."""

    status: Status


Event = (
    RunStarted
    | FileHashed
    | NodeStarted
    | NodeProgress
    | NodePreview
    | NodeShown
    | NodeSaved
    | NodeFinished
    | NodeFailed
    | RunFinished
)
Emit = Callable[[Event], None]


def discard(_event: Event) -> None:
    """An event sink for those who do not listen."""
