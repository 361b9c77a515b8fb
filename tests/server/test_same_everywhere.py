"""One workflow, three ways to run it: the same pictures, bit by bit, and the same keys."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image

from nodegraph import Engine
from tests.server.conftest import Server

INPUTS = {"prompt": "a green square on a yellow background", "seed": 77}


def pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_http_the_command_line_and_python_give_the_same_bits_and_keys(server: Server, tmp_path: Path) -> None:
    body = {"workflow": "template:text-to-image", "inputs": INPUTS, "targets": ["image"]}
    job = server.ask("POST", "/api/v1/jobs?wait=120", body).data
    assert job["state"] == "done", job
    (file,) = job["outputs"]["image"]["files"]
    over_http = pixels(server.ask("GET", file["url"]).body)

    saved = tmp_path / "saved.png"
    options = [word for name, value in INPUTS.items() for word in (f"--{name}", str(value))]
    command = [
        "-m",
        "nodegraph",
        "run",
        "template:text-to-image",
        *options,
        "--device",
        "cpu",
        "-o",
        str(saved),
    ]
    subprocess.run([sys.executable, *command, "--data-dir", str(tmp_path / "cli")], check=True, timeout=120)
    on_the_command_line = pixels(saved.read_bytes())

    with Engine(tmp_path / "python", device="cpu") as engine:
        result = engine.run_sync("template:text-to-image", targets=["image"], **INPUTS)
        image = result.outputs["image"].pixels[0, ..., :3]
        in_python = image.mul(255).round().clamp(0, 255).byte().numpy()
        keys = {id_: entry.key for id_, entry in result.plan.entries.items()}

    assert np.array_equal(over_http, on_the_command_line)
    assert np.array_equal(over_http, in_python)
    told = {id_: node["key"] for id_, node in job["nodes"].items()}
    assert len(told) == 6
    assert told == {id_: keys[id_] for id_ in told}
