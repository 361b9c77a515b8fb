"""What can go wrong between a client and its server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nodegraph.errors import CancelledError, NodegraphError, Problem

if TYPE_CHECKING:
    from nodegraph.wire.jobs import JobView


class UnreachableError(NodegraphError):
    """Nobody answers at the server's address, or the connection broke more often than is tried again."""

    code = "unreachable"


class ServerError(NodegraphError):
    """The server's answer is an error.

    status: the HTTP status; code: stable, for programs; problems: all that is wrong, where it is a workflow
    or a request body; remedy: what to do next, or None.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        remedy: str | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.status = status
        self.code = code
        self.remedy = remedy
        self.problems = tuple(problems)

    def describe(self) -> str:
        return "\n".join(one.describe() for one in self.problems) or super().describe()


class JobFailedError(NodegraphError):
    """A job failed, or was quarantined. `job` is how it ended, `problems` why."""

    code = "job_failed"

    def __init__(self, job: JobView) -> None:
        super().__init__(f"job {job.number} {'failed' if job.state == 'failed' else 'was quarantined'}")
        self.job = job
        self.problems = tuple(Problem(**one.model_dump()) for one in job.problems)

    def describe(self) -> str:
        return "\n".join(one.describe() for one in self.problems) or super().describe()


class JobCancelledError(CancelledError):
    """A job that was waited for was cancelled. `job` is how it ended."""

    def __init__(self, job: JobView) -> None:
        super().__init__(f"job {job.number} was cancelled")
        self.job = job
