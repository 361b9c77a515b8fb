"""`nodegraph run --sweep`: a contact sheet, with the prompts encoded once each."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from nodegraph.graph.embedding import read_record
from tests.cli.conftest import TEMPLATE, Cli


def test_contact_sheet(cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "run", TEMPLATE, "--sweep", "prompt=a red circle|a blue star", "--sweep", "seed=1..3", "--steps", "1",
        "-o", "sheet.png",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.splitlines() == [str(tmp_path / "sheet.png")]
    assert "6 of 6: prompt a blue star, seed 3" in done.err
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
