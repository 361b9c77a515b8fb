"""`nodegraph run --sweep`: a contact sheet, with the prompts encoded once each."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest

from nodegraph.graph.embedding import read_record
from nodegraph.graph.sweep import Axis, Sweep, sweep_of
from tests.cli.conftest import TEMPLATE, Cli


def test_contact_sheet(cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "run", TEMPLATE, "--sweep", "prompt=a red circle|a blue star", "--sweep", "seed=1..3", "--steps", "1",
        "-o", "sheet.png",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.splitlines() == [str(tmp_path / "sheet.png")]
    assert "6 of 6: prompt: a blue star, seed: 3" in done.err
    assert done.err.count("positive (encode text)") == 2
    assert done.err.count("negative (encode text)") == 1
    assert done.err.count("sample (sample)") == 6
    with PIL.Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 3 * (128 + 8) + 8
        assert sheet.height > 2 * 128
    assert read_record(tmp_path / "sheet.png")["inputs"]["seed"] == [1, 2, 3]
    assert list((tmp_path / "data").rglob("*.png")) == []


@pytest.mark.parametrize(
    ("axis", "words"),
    [("sede=1..3", "no input 'sede'"), ("steps=0,1", "out of range"), ("seed=1..3..0", "no end in sight")],
)
def test_bad_sweeps(cli: Cli, axis: str, words: str) -> None:
    done = cli("run", TEMPLATE, "--sweep", axis, "--steps", "1", "-o", "sheet.png")
    assert done.code == 2
    assert words in done.err
    assert not Path("sheet.png").exists()


def test_a_contact_sheet_runs_again_as_the_whole_sweep(cli: Cli, tmp_path: Path) -> None:
    arguments = ("--sweep", "seed=5,random", "--sweep", "cfg=2,4", "--steps", "1", "--width", "64")
    assert cli("run", TEMPLATE, *arguments, "--height", "64", "-o", "sheet.png").code == 0
    sweep = read_record(tmp_path / "sheet.png")["run"]["sweep"]
    (_, seeds), (_, values) = sweep["axes"]
    assert seeds[0] == 5
    assert type(seeds[1]) is int
    assert values == [2, 4]
    again = cli("run", "sheet.png", "-o", "again.webp")
    assert again.code == 0, again.err
    assert f"4 of 4: seed: {seeds[1]}, cfg: 4" in again.err
    assert pixels(tmp_path / "sheet.png") == pixels(tmp_path / "again.webp")
    assert read_record(tmp_path / "again.webp")["run"]["sweep"] == sweep
    one_axis = cli("run", "again.webp", "--seed", "5", "-o", "row.png")
    assert "2 of 2: cfg: 4" in one_axis.err
    one_cell = cli("run", "sheet.png", "--seed", "5", "--cfg", "4", "-o", "cell.png")
    assert " of " not in one_cell.err
    with PIL.Image.open(tmp_path / "cell.png") as cell:
        assert cell.size == (64, 64)
    other = cli("run", "sheet.png", "--sweep", "steps=1,2", "-o", "other.png")
    assert "2 of 2: steps: 2" in other.err


def pixels(path: Path) -> bytes:
    with PIL.Image.open(path) as picture:
        return picture.convert("RGB").tobytes()


@pytest.mark.parametrize(
    "run",
    [
        None, {}, {"sweep": "grid"}, {"sweep": {"mode": "both", "axes": [["a", [1]]], "output": "x"}},
        {"sweep": {"mode": "grid", "axes": [], "output": "x"}},
        {"sweep": {"mode": "grid", "axes": [["a", []]], "output": "x"}},
        {"sweep": {"mode": "grid", "axes": [["a", [1]], [2, [1]]], "output": "x"}},
    ],
)  # fmt: skip
def test_a_record_without_a_whole_sweep_is_none(run: object) -> None:
    assert sweep_of(run) is None


def test_a_sweep_survives_its_record() -> None:
    sweep = Sweep((Axis("seed", (1, 2)), Axis("prompt", ("a|b", "c"))), "zip", "image")
    assert sweep_of({"sweep": json.loads(json.dumps(sweep.to_json()))}) == sweep
