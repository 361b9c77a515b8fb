"""Errors as RFC 9457 problem details."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ProblemItem(BaseModel):
    """One thing that is wrong with a workflow or a request: the engine's problem, as data."""

    model_config = ConfigDict(extra="forbid")

    code: str
    message: str
    node: str | None = None
    title: str | None = None
    input: str | None = None
    expected: str | None = None
    found: str | None = None
    remedy: str | None = None


class ProblemDetails(BaseModel):
    """The body of every error answer (`application/problem+json`).

    type: a URN that is stable for the code; title: the kind of error; status: the HTTP status again;
    detail: what happened, in a sentence; code: stable, for programs; problems: all that is wrong, where it
    is a workflow or a request body.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    code: str
    remedy: str | None = None
    problems: list[ProblemItem] = []
