"""Jobs as their owners see them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from nodegraph.jobs.records import Job
from nodegraph.wire.jobs import ArtifactView, FileView, JobView, NodeView, OutputView, ProgressView
from nodegraph.wire.problems import ProblemItem


def view_of(job: Job, place: int | None = None, progress: ProgressView | None = None) -> JobView:
    """A job with its result, if it has one. place: how many jobs start before it."""
    result = _json(job.result)
    keys: dict[str, str] = result.get("keys", {})
    problems = msgspec.json.decode(job.problems) if job.problems is not None else []
    return JobView(
        id=job.id, number=job.number, title=job.title, user=job.user, state=job.state,
        priority=job.priority, place=place, group=job.group, created=job.created, started=job.started,
        finished=job.finished, attempts=job.attempts, worker=job.worker,
        progress=progress if job.state == "running" else None,
        inputs=result.get("inputs") or msgspec.json.decode(job.inputs),
        outputs={name: _output(output) for name, output in result.get("outputs", {}).items()},
        artifacts=[_artifact(job, each) for each in result.get("artifacts", [])],
        shown={node: _file(file) for node, file in _json(job.shown).items()},
        hidden=bool(job.hidden),
        nodes={id_: NodeView(**node, key=keys.get(id_)) for id_, node in result.get("nodes", {}).items()},
        problems=[ProblemItem(**problem) for problem in problems],
    )  # fmt: skip


def _output(output: dict[str, Any]) -> OutputView:
    files = [_file(file) for file in output.get("files", [])]
    return OutputView(kind=output["kind"], files=files, value=output.get("value"))


def _file(file: dict[str, Any]) -> FileView:
    return FileView(**file, url=f"/api/v1/files/{file['name']}")


def _json(data: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(data) if data is not None else {}
    return found


def _artifact(job: Job, artifact: dict[str, Any]) -> ArtifactView:
    return ArtifactView(**artifact, url=f"/api/v1/jobs/{job.id}/artifacts/{quote(artifact['path'])}")
