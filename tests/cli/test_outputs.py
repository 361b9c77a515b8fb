"""Named outputs on the command line: plain ones are printed or written, others say what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, text_to_image, write

PLAIN: dict[str, Any] = {
    "nodegraph": 1,
    "nodes": {
        "number": {"type": "value.number", "inputs": {"value": 2}},
        "sum": {"type": "math.calculate", "inputs": {"a": {"from": "number"}, "b": 0.5}},
        "text": {"type": "value.text", "inputs": {"value": "a red circle, “quoted”"}},
        "small": {"type": "logic.compare", "inputs": {"a": 1, "b": 2}},
        "range": {"type": "value.range", "inputs": {"stop": 3}},
        "latent": {"type": "latent.empty", "inputs": {"width": 64, "height": 64}},
        "chosen": {
            "type": "logic.if",
            "inputs": {"condition": True, "then": {"from": "sum"}, "otherwise": {"from": "number"}},
        },
    },
    "inputs": {"a": {"to": ["number.value"]}},
    "outputs": {
        name: {"from": name} for name in ("number", "sum", "text", "small", "range", "chosen", "latent")
    },
}


def test_plain_outputs_are_printed_and_others_say_what_they_are(cli: Cli, tmp_path: Path) -> None:
    done = cli("run", write(tmp_path / "plain.json", PLAIN))
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "number: 2.0", "sum: 2.5", "text: a red circle, “quoted”", "small: true", "range: [0, 1, 2]",
        "chosen: 2.5", "latent: Latent [1, 4, 8, 8]; no pack writes this to a file",
    ]  # fmt: skip


def test_quiet_prints_plain_values_alone(cli: Cli, tmp_path: Path) -> None:
    document = {**PLAIN, "outputs": {"text": {"from": "text"}}}
    assert cli("run", write(tmp_path / "plain.json", document), "-q").out == "a red circle, “quoted”\n"


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("sum", "out.json", "2.5\n"), ("sum", "out.txt", "2.5\n"), ("small", "out.json", "true\n"),
        ("range", "out.json", "[0, 1, 2]\n"), ("text", "out.txt", "a red circle, “quoted”"),
        ("text", "out.json", '"a red circle, “quoted”"\n'), ("chosen", "out.json", "2.5\n"),
    ],
)  # fmt: skip
def test_plain_outputs_are_written(cli: Cli, tmp_path: Path, name: str, file: str, content: str) -> None:
    done = cli("run", write(tmp_path / "plain.json", PLAIN), "--name", name, "-o", file)
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / file}\n"
    assert (tmp_path / file).read_text() == content


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("latent", "out.json", ["'latent' is of type latent, which no pack writes to a file"]),
        ("range", "out.txt", ["expected .json, found .txt"]),
        ("sum", "out.png", [".json or .txt", "found .png"]),
    ],
)
def test_what_cannot_be_written_is_said_before_the_run(
    cli: Cli, tmp_path: Path, name: str, file: str, words: list[str]
) -> None:
    done = cli("run", write(tmp_path / "plain.json", PLAIN), "--name", name, "-o", file)
    assert done.code == 2
    for fragment in words:
        assert fragment in done.err
    assert " s\n" not in done.err  # no node has run
    assert not (tmp_path / file).exists()


def test_a_workflow_that_saves_prints_its_plain_outputs_too(cli: Cli, tmp_path: Path) -> None:
    """Printed before the paths; a picture that is saved is not made once more to be an output."""
    document = text_to_image()
    document["nodes"]["range"] = {"type": "value.range", "inputs": {"stop": 2}}
    document["outputs"]["range"] = {"from": "range"}
    path = write(tmp_path / "both.json", document)
    for _ in range(2):
        done = cli("run", path)
        assert done.code == 0, done.err
        assert done.out.splitlines() == ["range: [0, 1]", str(tmp_path / "data/outputs/nodegraph_00001.png")]
    assert "sample" not in done.err


def test_a_picture_that_nobody_saves_says_how_to_keep_it(cli: Cli, tmp_path: Path) -> None:
    document = text_to_image()
    del document["nodes"]["save"]
    done = cli("run", write(tmp_path / "picture.json", document))
    assert done.out == "image: Image [1, 128, 128, 3]; write it with -o FILE.png\n"


def test_a_sweep_over_plain_outputs_is_a_list(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "plain.json", PLAIN)
    done = cli("run", path, "--name", "sum", "--sweep", "a=1,2")
    assert done.out.splitlines() == ["a: 1 -> 1.5", "a: 2 -> 2.5"]
    assert cli("run", path, "--name", "sum", "--sweep", "a=1,2", "-o", "out.json").code == 0
    assert json.loads((tmp_path / "out.json").read_text()) == [
        {"inputs": {"a": 1}, "value": 1.5}, {"inputs": {"a": 2}, "value": 2.5},
    ]  # fmt: skip
    refused = cli("run", path, "--name", "sum", "--sweep", "a=1,2", "-o", "out.txt")
    assert refused.code == 2
    assert "expected .json" in refused.err
