"""Events of a run: small frozen records that the server, the CLI and the tests read alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nodegraph.errors import Problem
from nodegraph.runtime import Artifact
from nodegraph.values import Image

Outcome = Literal["ran", "memory", "disk", "shared", "saved", "failed", "skipped", "cancelled"]
"""What became of a node: it ran; its result was reused from memory, from disk, or from another run that was
just making it; its files were saved already; it failed; what it reads failed; the run was cancelled."""

Status = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins: how many nodes will run, and how many results are reused."""

    to_run: int
    reused: int


@dataclass(frozen=True, slots=True)
class FileHashed:
    """A file is being hashed before the run: bytes done of all."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node begins to run."""

    node: str


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """A node has finished `done` of `total` steps."""

    node: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class NodePreview:
    """A small picture of a node's unfinished result: only in runs that are asked for previews."""

    node: str
    image: Image


@dataclass(frozen=True, slots=True)
class NodeShown:
    """A node shows a finished picture."""

    node: str
    image: Image


@dataclass(frozen=True, slots=True)
class NodeSaved:
    """A node saved a file; or the file that it would save lies there from an earlier run."""

    node: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node has its result. seconds: wall time in the node; loading: of that, spent loading weights."""

    node: str
    outcome: Outcome
    seconds: float = 0.0
    loading: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node raised; everything downstream of it is skipped."""

    node: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class RunFinished:
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
