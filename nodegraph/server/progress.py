"""How far running jobs are, from what their workers tell."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nodegraph.wire.jobs import ProgressView


@dataclass
class _Run:
    """What is known of one run: nodes finished of all, and the node that counts steps."""

    finished: int = 0
    total: int = 0
    node: str | None = None
    step: int | None = None
    steps: int | None = None
    began: float = 0.0


class ProgressBoard:
    """The progress of every running job."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    def heard(self, job: str, kind: str, fields: Mapping[str, Any]) -> None:
        """A worker told an event of a job."""
        if kind == "planned":
            self._runs[job] = _Run(total=fields["to_run"] + fields["reused"], finished=fields["reused"])
        run = self._runs.get(job)
        if run is None:
            return
        if kind == "node_started":
            run.node, run.step, run.steps, run.began = fields["node"], None, None, time.monotonic()
        elif kind == "progress":
            run.node, run.step, run.steps = fields["node"], fields["done"], fields["total"]
        elif kind == "node_finished" and fields["outcome"] not in ("memory", "disk", "saved"):
            run.finished += 1

    def of(self, job: str) -> ProgressView | None:
        """How far a job is; None where it does not run."""
        run = self._runs.get(job)
        if run is None:
            return None
        return ProgressView(
            finished=min(run.finished, run.total), total=run.total, node=run.node, step=run.step,
            steps=run.steps, eta=_eta(run),
        )  # fmt: skip

    def forget(self, job: str) -> None:
        """The job runs no more."""
        self._runs.pop(job, None)


def _eta(run: _Run) -> float | None:
    """Seconds until the node's last step, if steps go on as they did."""
    if not run.step or not run.steps:
        return None
    return (time.monotonic() - run.began) / run.step * (run.steps - run.step)
