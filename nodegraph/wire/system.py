"""What the server tells of itself, and of workflows before they run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, RootModel

from nodegraph.wire.jobs import FileView, Request, Workflow
from nodegraph.wire.problems import ProblemItem


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str


class PageQuery(BaseModel):
    """How a browser logs in; whatever else the address says is the page's business."""

    token: str | None = Field(default=None, description="It becomes a cookie, and leaves the address.")


class WorkerView(BaseModel):
    """One worker: where it computes, what it does, and how often its process was replaced."""

    id: str
    state: Literal["starting", "idle", "busy", "dead", "broken"]
    device: str
    restarts: int
    job: str | None = Field(default=None, description="What it runs, if that is the caller's.")


class SystemView(BaseModel):
    """The server: who asks, the workers, and how many jobs there are in every state."""

    version: str
    user: str
    offline: bool
    workers: list[WorkerView]
    jobs: dict[str, int]


class HeldWeights(BaseModel):
    """Weights, or what was made of them, in a worker's memory."""

    model_config = {"extra": "allow"}


class HeldResult(BaseModel):
    """A node's result in a worker's cache: its key, the node's type, bytes, seconds to make it, and where."""

    key: str
    node: str
    bytes: int
    seconds: float
    tier: str


class MemoryOfWorker(BaseModel):
    """Every held byte of one worker."""

    weights: list[HeldWeights]
    results: list[HeldResult]


class MemoryView(RootModel[dict[str, MemoryOfWorker]]):
    """Every held byte of every worker, with owner and reason, by the worker's id."""


class InputSchema(BaseModel):
    """An input of a node: whether it has to be given, and the JSON schema of its values."""

    required: bool
    schema_: dict[str, Any] = Field(alias="schema")

    model_config = {"populate_by_name": True, "serialize_by_alias": True}


class NodeTypeView(BaseModel):
    """A node type: what it is called, what it takes and gives."""

    id: str
    version: int
    category: str
    title: str
    help: str
    output: bool
    deprecated: str | None
    experimental: bool
    pack: str
    inputs: dict[str, InputSchema]
    outputs: dict[str, Any]


class Catalogue(RootModel[list[NodeTypeView]]):
    """Every node type."""


class ChoiceView(BaseModel):
    """A name that an input may be given, and what it stands for."""

    name: str
    help: str


class VocabularyView(BaseModel):
    """The names that inputs may be given, and how value classes derive.

    choices: by open registry, such as samplers; files: names by kind; classes: the socket types that a
    value class derives from, so that a link into one of them fits.
    """

    choices: dict[str, list[ChoiceView]]
    files: dict[str, list[str]]
    classes: dict[str, list[str]]


class CheckRequest(Request):
    """A workflow that shall not run yet."""

    workflow: Workflow
    inputs: dict[str, Any] = Field(default={})
    targets: list[str] | None = None


class PlannedNode(BaseModel):
    """What will happen to a node, and why."""

    action: Literal["run", "memory", "disk", "saved", "maybe", "not needed"]
    reason: str


class CheckView(BaseModel):
    """All problems of a workflow; where there are none, its plan and what was assumed."""

    problems: list[ProblemItem]
    plan: dict[str, PlannedNode] = {}
    notes: list[str] = []


class ModelsQuery(Request):
    """Which model files."""

    kind: str | None = Field(default=None, max_length=64, description="checkpoints, loras, vae …")
    families: bool = Field(default=False, description="Tell their families too, read from their headers.")


class ModelItem(BaseModel):
    """A model file: what a loader calls it, its bytes, and the sha256 of its content if that is known yet.

    family: where it was asked for, the name of a supported one, else what the file is in words.
    """

    kind: str
    name: str
    size: int
    hash: str | None
    family: str | None = None


class ModelList(BaseModel):
    """Model files by kind and name."""

    models: list[ModelItem]


class UploadQuery(Request):
    """What an upload is called."""

    name: str = Field(default="", max_length=200, description="For people; the content names the file.")


class UploadView(BaseModel):
    """An uploaded picture; `use_as` is what a node that loads pictures takes as its file."""

    file: FileView
    called: str
    use_as: str
    created: float


class Uploads(BaseModel):
    """Uploaded pictures, the newest first."""

    files: list[UploadView]
