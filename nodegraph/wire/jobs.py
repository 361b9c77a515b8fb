"""Jobs as they travel over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StrictInt

from nodegraph.wire.problems import ProblemItem

State = Literal["queued", "held", "running", "done", "failed", "cancelled", "quarantined"]
"""`queued`: waits for a worker; `held`: waits for somebody to release it; `quarantined`: it killed its
workers again and again and is not tried any more. The last four are final."""

Outcome = Literal["ran", "memory", "disk", "shared", "saved", "failed", "skipped", "cancelled"]
Priority = Annotated[StrictInt, Field(ge=-100, le=100)]
IdempotencyKey = Annotated[str, Field(min_length=1, max_length=200)]


class Request(BaseModel):
    """A request body: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Webhook(Request):
    """Where to tell that the job is over: a POST of the job, signed with the secret.

    The header `Nodegraph-Signature` is `t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of `<seconds>.<body>`.
    """

    url: HttpUrl
    secret: str = Field(min_length=16, max_length=200)


class RunOptions(Request):
    """How to run, whatever is run."""

    inputs: dict[str, Any] = Field(default={}, description="Values of the workflow's named inputs.")
    targets: list[str] | None = Field(default=None, description="Outputs or nodes to run for (default: all).")
    priority: Priority = 0
    hold: bool = Field(default=False, description="Wait until somebody releases the job.")
    previews: bool = Field(default=False, description="Send unfinished pictures with the events.")
    idempotency_key: IdempotencyKey | None = Field(
        default=None, description="Submitting twice with the same key makes one job."
    )
    webhook: Webhook | None = None
    title: str = Field(default="", max_length=200)
    hidden: bool = Field(
        default=False,
        description="Left out of lists, and forgotten soon: a look at a value, not work of its own.",
    )


Workflow = dict[str, Any] | Annotated[str, Field(pattern="^template:")]
"""A document itself, or `template:NAME`."""


class JobRequest(RunOptions):
    """A workflow to run: the document itself, or `template:NAME`."""

    workflow: Workflow


class WaitQuery(Request):
    """How long to wait."""

    wait: float = Field(
        default=0.0, ge=0, le=3600, allow_inf_nan=False,
        description="Wait for the job's end, at most so many seconds.",
    )  # fmt: skip


class JobsQuery(Request):
    """Which jobs to list."""

    before: int | None = Field(default=None, ge=0, lt=2**53, description="Only jobs with lower numbers.")
    group: str | None = Field(default=None, max_length=64, description="Only jobs of this group.")
    state: State | None = Field(default=None, description="Only jobs in this state.")
    hidden: bool = Field(default=False, description="Hidden jobs as well.")
    limit: int = Field(default=100, ge=1, le=1000, description="How many at most.")


class EventsQuery(Request):
    """From where to follow."""

    after: int = Field(default=0, ge=0, lt=2**53, description="Only events with higher numbers.")


class SweepAxis(Request):
    """The values that one named input takes."""

    input: str
    values: list[Any] = Field(min_length=1, max_length=10_000)


class GroupRequest(RunOptions):
    """A workflow to run once for every cell of its axes; what cells share is computed once."""

    workflow: Workflow
    axes: list[SweepAxis] = Field(min_length=1, max_length=8)
    mode: Literal["grid", "zip"] = "grid"


class FileView(BaseModel):
    """A file in the content-addressed store."""

    hash: str
    name: str
    media_type: str
    size: int
    url: str


class OutputView(BaseModel):
    """A named output: a file (pictures), or a JSON value (numbers, text, lists)."""

    kind: Literal["image", "json"]
    files: list[FileView] = []
    value: Any = None


class ArtifactView(BaseModel):
    """A file that a save node wrote; `path` is relative to the output folder."""

    path: str
    media_type: str
    size: int
    url: str


class NodeView(BaseModel):
    """What became of one node: how, in how many seconds, and how long of that weights were loaded.

    size: bytes of its outputs as the cache counts them; peak: the most bytes that the device held at once
    while it ran; both 0 where that is not known. key: the content key of its result, None where a run gave
    it none.
    """

    outcome: Outcome
    seconds: float = 0.0
    loading: float = 0.0
    size: int = 0
    peak: int = 0
    key: str | None = None


class ProgressView(BaseModel):
    """How far a running job is: nodes finished of all that run or are reused, and the steps of the node."""

    finished: int
    total: int
    node: str | None = None
    step: int | None = None
    steps: int | None = None
    eta: float | None = Field(default=None, description="Seconds until the node's last step, guessed.")


class JobView(BaseModel):
    """A job as its owner sees it. Times are Unix seconds."""

    id: str
    number: int = Field(description="Jobs are numbered in the order of submission.")
    title: str
    user: str
    state: State
    priority: int
    place: int | None = Field(default=None, description="How many jobs will start before it, while it waits.")
    group: str | None = None
    created: float
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    worker: str | None = None
    inputs: dict[str, Any] = Field(default={}, description="Named inputs; with the seeds used once it ran.")
    progress: ProgressView | None = None
    outputs: dict[str, OutputView] = {}
    artifacts: list[ArtifactView] = []
    shown: dict[str, FileView] = Field(
        default={}, description="The last finished picture that each node showed, once the job is over."
    )
    hidden: bool = False
    nodes: dict[str, NodeView] = {}
    problems: list[ProblemItem] = []


class JobList(BaseModel):
    """Jobs, the newest first; `before` is the `number` to ask for the next page with."""

    jobs: list[JobView]
    before: int | None = None


class GroupView(BaseModel):
    """A group of jobs: of a sweep, in the order of its cells."""

    id: str
    jobs: list[JobView]
    states: dict[State, int]


class Move(Request):
    """Where a waiting job goes among its owner's."""

    before: str | None = None
    after: str | None = None
    to: Literal["front", "back"] | None = None


class JobChange(Request):
    """What may change while a job waits."""

    priority: Priority | None = None
    hold: bool | None = None
    move: Move | None = None


class QueueView(BaseModel):
    """The queue: whether it is paused, what runs, and the waiting jobs in the order in which they start."""

    paused: bool
    running: list[str]
    waiting: list[str]


class QueueChange(Request):
    """Pause or resume the whole queue. What runs goes on."""

    paused: bool
