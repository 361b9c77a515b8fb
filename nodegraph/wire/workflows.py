"""Named workflows as they travel over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from nodegraph.wire.jobs import IdempotencyKey, Request, WaitQuery

WorkflowName = Annotated[
    str,
    Field(
        min_length=1, max_length=100, pattern=r"^[^/\\\x00-\x1f\x7f]+$",
        description="At most 100 characters, none of them a slash or a control character.",
    ),
]  # fmt: skip


class SaveRequest(Request):
    """A document to save; `note` says what changed."""

    document: dict[str, Any]
    note: str = Field(default="", max_length=500)


class RenameRequest(Request):
    """The new name."""

    name: WorkflowName


class RestoreRequest(Request):
    """Which workflow to take out of the trash (`id`), and under which name if not its old one."""

    id: int = Field(ge=1, lt=2**53)
    name: WorkflowName | None = None


class WorkflowsQuery(Request):
    """Which workflows to list."""

    trashed: bool = Field(default=False, description="Those in the trash instead.")


class RevisionQuery(Request):
    """Which revision."""

    revision: int | None = Field(default=None, ge=1, lt=2**53, description="The newest, if none is given.")


class RunQuery(WaitQuery):
    """How to run a saved workflow, whose named inputs are the body."""

    priority: int = Field(default=0, ge=-100, le=100)
    title: str = Field(default="", max_length=200)
    hold: bool = Field(default=False, description="Wait until somebody releases the job.")
    previews: bool = Field(default=False, description="Send unfinished pictures with the events.")
    idempotency_key: IdempotencyKey | None = Field(
        default=None, description="Submitting twice with the same key makes one job."
    )


class NamedInputs(BaseModel):
    """Values of the workflow's named inputs, by name."""

    model_config = {"extra": "allow"}


class WorkflowItem(BaseModel):
    """A named workflow in a list. Times are Unix seconds; `tag` changes with every save (ETag)."""

    id: int
    name: str
    revision: int
    tag: str
    created: float
    updated: float
    trashed: float | None = None
    size: int


class WorkflowList(BaseModel):
    """Named workflows."""

    workflows: list[WorkflowItem]


class WorkflowView(WorkflowItem):
    """A named workflow with a document: that of `revision`, of which the newest is `newest`."""

    newest: int
    document: dict[str, Any]


class RevisionItem(BaseModel):
    """A state that was saved."""

    number: int
    digest: str
    note: str
    created: float
    size: int


class RevisionList(BaseModel):
    """All revisions of a workflow, the newest first."""

    revisions: list[RevisionItem]


class NamedInputView(BaseModel):
    """A named input: the JSON schema of its values, what it is now, and help."""

    schema_: dict[str, Any] = Field(alias="schema")
    value: Any = None
    help: str | None = None

    model_config = {"populate_by_name": True, "serialize_by_alias": True}


class InterfaceView(BaseModel):
    """A workflow as a function: its named inputs, and the types of its named outputs."""

    inputs: dict[str, NamedInputView]
    outputs: dict[str, Any]


class TemplateItem(BaseModel):
    """A workflow that comes with a pack; run it as `template:NAME`."""

    name: str
    title: str
    about: str = Field(default="", description="What it is for, in a sentence.")
    picture: str | None = Field(default=None, description="The address of a picture that it made.")


class TemplateList(BaseModel):
    """All templates."""

    templates: list[TemplateItem]
