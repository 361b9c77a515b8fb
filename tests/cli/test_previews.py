"""`run --previews`: unfinished and shown pictures as files."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from nodegraph.graph.embedding import read_record
from tests.cli.conftest import TEMPLATE, Cli, text_to_image, write

SHORT = ("--steps", "3", "--width", "64", "--height", "32", "-q")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def test_every_step_is_a_file_and_the_result_comes_last(cli: Cli, tmp_path: Path) -> None:
    done = cli("run", TEMPLATE, *SHORT, "--previews", "seen/now", "-o", "made.png")
    assert (done.code, done.paths) == (0, [tmp_path / "made.png"])
    assert names(tmp_path / "seen" / "now") == [f"sample_{number:05d}.png" for number in (1, 2, 3)]
    with PIL.Image.open(tmp_path / "seen" / "now" / "sample_00003.png") as picture:
        assert picture.size == (256, 128)  # 8 by 4 cells, enlarged


def test_a_shown_picture_is_a_file_of_its_own_size(cli: Cli, tmp_path: Path) -> None:
    document = text_to_image()
    document["nodes"]["show"] = {"type": "image.preview", "inputs": {"image": {"from": "decode"}}}
    done = cli("run", write(tmp_path / "show.json", document), "-q", "--previews", "seen")
    assert done.code == 0
    assert names(tmp_path / "seen") == ["sample_00001.png", "sample_00002.png", "show_00001.png"]
    with PIL.Image.open(tmp_path / "seen" / "show_00001.png") as picture:
        assert picture.size == (128, 128)
    held = read_record(tmp_path / "seen" / "show_00001.png")["document"]
    assert {name: node["inputs"] for name, node in held["nodes"].items()} == {
        name: node["inputs"] for name, node in document["nodes"].items()
    }


def test_a_sweep_has_the_previews_of_every_cell(cli: Cli, tmp_path: Path) -> None:
    done = cli("run", TEMPLATE, *SHORT, "--sweep", "seed=1..2", "--previews", "seen", "-o", "sheet.png")
    assert done.code == 0
    assert len(names(tmp_path / "seen")) == 6


@pytest.mark.parametrize("extra", [(), ("--sweep", "seed=1..2")])
def test_a_folder_that_cannot_be_written_is_named_before_anything_runs(
    cli: Cli, tmp_path: Path, extra: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    done = cli("run", TEMPLATE, *SHORT, "--previews", "file/folder", "-o", "made.png", *extra)
    assert done.code == 2
    assert "'file/folder' cannot take previews: Not a directory" in done.err.replace("\n", " ")
    assert not (tmp_path / "made.png").exists()
