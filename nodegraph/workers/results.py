"""What a job gave, as JSON: pictures go to the content-addressed files, the rest is told as it is."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nodegraph.engine import Engine
from nodegraph.errors import NodegraphError
from nodegraph.execution.results import RunResult
from nodegraph.values import Image
from nodegraph.workers.translate import told_path

FOLDER = "files"


def result_of(engine: Engine, result: RunResult) -> bytes:
    """The result of a run, for the server to keep."""
    outputs = {name: _output(engine, result, value) for name, value in result.outputs.items()}
    artifacts = [
        {
            "path": told_path(artifact.path, engine.outputs), "media_type": artifact.media_type,
            "size": artifact.size,
        }
        for artifact in result.artifacts
    ]  # fmt: skip
    nodes = {
        id_: {
            "outcome": node.outcome, "seconds": node.seconds, "loading": node.loading,
            "size": node.size, "peak": node.peak,
        }
        for id_, node in result.nodes.items()
    }  # fmt: skip
    keys = {id_: entry.key for id_, entry in result.plan.entries.items() if entry.key is not None}
    told = {
        "outputs": outputs, "artifacts": artifacts, "nodes": nodes, "keys": keys,
        "inputs": dict(result.record.inputs), "run": dict(result.record.run),
    }  # fmt: skip
    return msgspec.json.encode(told)


def has_pictures(result: RunResult) -> bool:
    """Whether an output is a picture, which becomes a file."""
    return any(isinstance(value, Image) for value in result.outputs.values())


def _output(engine: Engine, result: RunResult, value: object) -> Mapping[str, Any]:
    if isinstance(value, Image):
        return {"kind": "image", "files": _kept(engine, result, value)}
    try:
        msgspec.json.encode(value)
    except TypeError:  # a model, a latent: it has no form outside
        return {"kind": "json", "value": None, "type": type(value).__name__}
    return {"kind": "json", "value": value}


def _kept(engine: Engine, result: RunResult, image: Image) -> list[Mapping[str, Any]]:
    """The pictures of a batch as files under the names of their content."""
    root = engine.data_dir / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as folder:
        paths = engine.export(image, Path(folder) / "picture.png", result.record)
        return [keep(root, path, "image/png") for path in paths]


def keep(root: Path, path: Path, media_type: str) -> Mapping[str, Any]:
    """Move a file among the content-addressed ones, where it may lie already."""
    data = path.read_bytes()
    digest = hashlib.blake2b(data, digest_size=20).hexdigest()
    place = root / digest[:2] / (digest + path.suffix)
    place.parent.mkdir(exist_ok=True)
    os.replace(path, place)  # noqa: PTH105 - Path.replace says nothing more
    return {"hash": digest, "name": place.name, "media_type": media_type, "size": len(data)}


def problems_of(error: BaseException) -> bytes:
    """What went wrong, as a JSON list of problems."""
    from nodegraph.errors import Problem, RunFailedError, WorkflowError, cause_of
    from nodegraph.workers.translate import data_of

    if isinstance(error, WorkflowError):
        found = list(error.problems)
    elif isinstance(error, RunFailedError):
        found = [failure.problem for failure in error.failures]
    elif isinstance(error, NodegraphError) and isinstance(getattr(error, "problem", None), Problem):
        found = [error.problem]
    else:
        found = [Problem("internal", cause_of(error))]
    return msgspec.json.encode([data_of(problem) for problem in found])
