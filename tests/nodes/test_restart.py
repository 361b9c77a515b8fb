"""What one process made, the next one finds: text encoding and sampling survive a restart and a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUN = """
import json, sys
from pathlib import Path
from nodegraph import Engine
from nodegraph.execution.events import NodeStarted

started = []
with Engine(sys.argv[1], device="cpu", dtype="float32", outputs=sys.argv[2]) as engine:
    result = engine.run_sync(
        "template:text-to-image", steps=2, seed=int(sys.argv[3]), targets=["image"],
        on_event=lambda event: isinstance(event, NodeStarted) and started.append(event.node),
    )
    pixels = result.outputs["image"].pixels
    print(json.dumps({
        "started": started,
        "outcomes": {id_: finished.outcome for id_, finished in result.nodes.items()},
        "loaded": dict(engine.resources.models.counters())["file_reads"],
        "pixels": pixels.numpy().tobytes().hex(),
    }))
"""

KILLED = (
    """
import os, signal
from nodegraph_nodes import tensors

class Store(tensors.SafetensorsStore):
    def write(self, path, values, meta):
        super().write(path, values, meta)
        if '"node":"sample"' in meta:  # the text encodings are on disk already
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

import nodegraph_nodes.resources
nodegraph_nodes.resources.SafetensorsStore = Store
"""
    + RUN
)


def start(code: str, folder: Path, seed: int = 1) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(folder), str(folder / "out"), str(seed)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def run(folder: Path, seed: int = 1) -> dict[str, Any]:
    done = start(RUN, folder, seed)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A data folder after one process, and what that process did."""
    folder = tmp_path_factory.mktemp("data")
    return folder, run(folder)


def test_a_fresh_process_reuses_everything(reference: tuple[Path, dict[str, Any]]) -> None:
    folder, first = reference
    assert {"positive", "negative", "sample", "decode"} <= set(first["started"])
    second = run(folder)
    assert second["started"] == []
    assert second["outcomes"] == {"decode": "disk"}
    assert second["loaded"] == 0
    assert second["pixels"] == first["pixels"]


def test_a_fresh_process_with_another_seed_encodes_no_text(reference: tuple[Path, dict[str, Any]]) -> None:
    folder, first = reference
    other = run(folder, seed=2)
    assert other["outcomes"]["positive"] == other["outcomes"]["negative"] == "disk"
    assert {"positive", "negative"}.isdisjoint(other["started"])
    assert {"sample", "decode"} <= set(other["started"])
    assert other["pixels"] != first["pixels"]


def test_after_a_kill_during_a_write_the_next_run_is_right(
    tmp_path: Path, reference: tuple[Path, dict[str, Any]]
) -> None:
    killed = start(KILLED, tmp_path)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    cache = tmp_path / "cache"
    assert len(list(cache.glob(".*.part.safetensors"))) == 1, "it was killed at another moment"
    after = run(tmp_path)
    assert after["pixels"] == reference[1]["pixels"]
    assert after["outcomes"]["positive"] == after["outcomes"]["negative"] == "disk"
    assert "sample" in after["started"]
    assert list(cache.glob(".*.part.safetensors")) == []
    assert run(tmp_path)["outcomes"] == {"decode": "disk"}
