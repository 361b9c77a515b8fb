"""The command line in this process (fast) and as a real command (honest)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodegraph.cli.app import app
from nodegraph.cli.failures import guarded

Cli = Callable[..., "Outcome"]
TEMPLATE = "template:text-to-image"


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def paths(self) -> list[Path]:
        """The paths that the command printed."""
        return [Path(line) for line in self.out.splitlines() if line.startswith("/")]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in this process, with data and working directory in a fresh folder."""
    monkeypatch.setenv("NODEGRAPH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        code = guarded(partial(app, args=[str(argument) for argument in arguments]))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the installed command as a process of its own."""
    monkeypatch.setenv("NODEGRAPH_DATA", str(tmp_path / "data"))

    def run(*arguments: object) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "nodegraph", *map(str, arguments)],
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def text_to_image() -> dict[str, Any]:
    """A small workflow to break: 2 steps, one picture of 128 pixels."""
    encoder = {"from": "loader.text_encoder"}
    return {
        "nodegraph": 1,
        "name": "test",
        "nodes": {
            "loader": {"type": "load.checkpoint", "inputs": {"file": "tiny.safetensors"}},
            "positive": {"type": "text.encode", "inputs": {"encoder": encoder, "text": "a red circle"}},
            "negative": {"type": "text.encode", "inputs": {"encoder": encoder}},
            "latent": {"type": "latent.empty", "inputs": {"width": 128, "height": 128}},
            "sample": {
                "type": "sample",
                "inputs": {
                    "model": {"from": "loader.model"},
                    "positive": {"from": "positive"},
                    "negative": {"from": "negative"},
                    "latent": {"from": "latent"},
                    "steps": 2,
                },
            },
            "decode": {
                "type": "vae.decode",
                "inputs": {"vae": {"from": "loader.vae"}, "latent": {"from": "sample"}},
            },
            "save": {"type": "image.save", "inputs": {"image": {"from": "decode"}}},
        },
        "inputs": {"prompt": {"to": ["positive.text"]}, "seed": {"to": ["sample.seed"]}},
        "outputs": {"image": {"from": "decode"}},
    }


def write(path: Path, document: Any) -> Path:
    """Write a document as JSON."""
    path.write_text(json.dumps(document))
    return path
