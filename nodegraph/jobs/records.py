"""What the database holds of a job, and of its events."""

from __future__ import annotations

import json
from typing import Literal

from msgspec import Struct

State = Literal["queued", "held", "running", "done", "failed", "cancelled", "quarantined"]
FINAL: frozenset[State] = frozenset({"done", "failed", "cancelled", "quarantined"})
WAITING: frozenset[State] = frozenset({"queued", "held"})


class NewJob(Struct, frozen=True, kw_only=True):
    """A job as it is submitted.

    document, inputs, options: JSON; key: an idempotency key, one job for each of a user; group: the sweep
    that it belongs to; options: how to run it besides (targets, previews, webhook), for the server alone;
    hidden: left out of lists, and forgotten soon.
    """

    user: str
    document: bytes
    inputs: bytes = b"{}"
    options: bytes = b"{}"
    title: str = ""
    priority: int = 0
    key: str | None = None
    group: str | None = None
    held: bool = False
    hidden: bool = False


class Job(Struct, frozen=True, kw_only=True):
    """A job as it stands.

    number: in the order of submission; position: its place among its user's waiting jobs, the lowest first;
    attempts: how often it was started; deaths: how many workers it took with it; result, problems: JSON;
    shown: the files of the last picture that each node showed, by node, as JSON.
    Times are Unix seconds, for people: no order depends on them.
    """

    id: str
    number: int
    user: str
    state: State
    title: str
    priority: int
    position: float
    key: str | None
    group: str | None
    document: bytes
    inputs: bytes
    options: bytes
    created: float
    started: float | None
    finished: float | None
    worker: str | None
    attempts: int
    deaths: int
    result: bytes | None
    problems: bytes | None
    hidden: bool
    shown: bytes | None

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL


class JobEvent(Struct, frozen=True):
    """A kept event of a job: its number in the job, its kind, and its fields as JSON."""

    job: str
    seq: int
    kind: str
    data: bytes
    time: float


def files_in(result: bytes | None, shown: bytes | None = None) -> list[str]:
    """The names of the pictures that a result names, and of those that nodes showed, each once."""
    outputs = json.loads(result or b"{}").get("outputs", {}).values()
    made = [file for output in outputs for file in output.get("files", [])]
    return list(dict.fromkeys(file["name"] for file in [*made, *json.loads(shown or b"{}").values()]))
