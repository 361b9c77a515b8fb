"""Events of jobs as they travel: in server-sent events, over the WebSocket, and to the client.

Every event of a job has a sequence number; those that say what is so (state, nodes, files) are kept and can
be read again from any number; progress and previews are only sent to whoever listens.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel

from nodegraph.wire.jobs import JobView, Outcome, State
from nodegraph.wire.problems import ProblemItem


class BaseEvent(BaseModel):
    """What all events have: the job, and the number of the event in the job."""

    job: str
    seq: int
    time: float


class StateChanged(BaseEvent):
    """The job is in another state now; `reason` says why it was interrupted, held or put back."""

    kind: Literal["state"] = "state"
    state: State
    reason: str = ""
    worker: str | None = None
    attempts: int = 0


class Planned(BaseEvent):
    """A run begins: how many nodes will run, and how many results are reused."""

    kind: Literal["planned"] = "planned"
    to_run: int
    reused: int


class FileHashed(BaseEvent):
    """A file is being hashed before the run: bytes done of all."""

    kind: Literal["hashing"] = "hashing"
    name: str
    done: int
    total: int


class NodeStarted(BaseEvent):
    """A node begins to run."""

    kind: Literal["node_started"] = "node_started"
    node: str


class NodeProgress(BaseEvent):
    """A node has finished `done` of `total` steps."""

    kind: Literal["progress"] = "progress"
    node: str
    done: int
    total: int


class NodePreview(BaseEvent):
    """A small picture of a node's unfinished result, or one that it shows (`final`), as a data URL."""

    kind: Literal["preview"] = "preview"
    node: str
    image: str
    final: bool = False


class NodeFinished(BaseEvent):
    """A node has its result, or never will.

    size: bytes of its outputs; peak: the most bytes that the device held at once; both 0 where unknown.
    """

    kind: Literal["node_finished"] = "node_finished"
    node: str
    outcome: Outcome
    seconds: float = 0.0
    loading: float = 0.0
    size: int = 0
    peak: int = 0


class NodeSaved(BaseEvent):
    """A node saved a file; `path` is relative to the output folder."""

    kind: Literal["saved"] = "saved"
    node: str
    path: str
    media_type: str
    size: int


class NodeFailed(BaseEvent):
    """A node raised; everything downstream of it is skipped."""

    kind: Literal["node_failed"] = "node_failed"
    node: str
    problem: ProblemItem


JobEvent = Annotated[
    StateChanged
    | Planned
    | FileHashed
    | NodeStarted
    | NodeProgress
    | NodePreview
    | NodeFinished
    | NodeSaved
    | NodeFailed,
    Field(discriminator="kind"),
]
"""Any event of a job."""


class AnyEvent(RootModel[JobEvent]):
    """Any event of a job, for the API's description."""


class Snapshot(BaseModel):
    """The first message of the WebSocket: the jobs that run and wait, in the order in which they start."""

    kind: Literal["snapshot"] = "snapshot"
    paused: bool
    jobs: list[JobView]


FLEETING = frozenset({"progress", "preview", "hashing"})
"""The kinds that are not kept."""
