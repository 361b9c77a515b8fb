"""`nodegraph models`: list, show, hash and verify."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

SHIPPED = Path(__file__).parents[2] / "nodes" / "nodegraph_nodes" / "models"
TINY = hashlib.sha256((SHIPPED / "checkpoints" / "tiny.safetensors").read_bytes()).hexdigest()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "models" / "checkpoints" / "style" / "my [model].safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes((SHIPPED / "checkpoints" / "tiny.safetensors").read_bytes())
    return path


def test_list_names_every_model_with_family_and_hash(cli: Cli, mine: Path) -> None:
    listed = cli("models", "list")
    assert listed.code == 0
    for word in ("style/my [model]", "tiny-neon", "sd1", "a LoRA", "F16", "3 model files"):
        assert word in listed.out, listed.out
    assert cli("models", "list", "NEON", "--kind", "checkpoints").out == "0 model files, 0 bytes\n"
    assert "1 model file," in cli("models", "list", "--family", "lora").out


def test_list_as_json(cli: Cli, mine: Path) -> None:
    cli("models", "hash", "style/my [model].safetensors")
    (entry,) = json.loads(cli("models", "list", "my [", "--json").out)
    assert entry == {
        "kind": "checkpoints", "name": "style/my [model].safetensors", "path": str(mine),
        "size": mine.stat().st_size, "sha256": TINY, "family": "sd1", "variant": "", "dtype": "F16",
    }  # fmt: skip


def test_show_reads_the_header_and_finds_the_preview(cli: Cli, mine: Path) -> None:
    preview = mine.with_name("my [model].preview.png")
    preview.touch()
    shown = cli("models", "show", "style/my [model].safetensors").out
    for word in (
        "sd1",
        "denoiser, text encoder",
        "F16 (",
        "not known yet",
        "metadata tokenizer.vocab",
        "15027",
    ):
        assert word in shown, shown
    data = json.loads(cli("models", "show", str(mine), "--json").out)
    assert (data["preview"], data["prediction"]) == (str(preview), "v")
    assert data["metadata"]["modelspec.title"] == "nodegraph tiny"
    cli("models", "hash", str(mine))
    assert json.loads(cli("models", "show", TINY[:10], "--json").out)["sha256"] == TINY


def test_show_says_of_other_files_what_they_are(cli: Cli, tmp_path: Path, mine: Path) -> None:
    (mine.parent / "old.ckpt").write_bytes(b"PK\x03\x04" + bytes(100))
    shown = cli("models", "show", "style/old.ckpt")
    assert shown.code == 0
    assert "pickle" in shown.out
    wrong = cli("models", "show", "tinny.safetensors")
    assert wrong.code == 2
    assert "Did you mean 'tiny.safetensors'" in wrong.err


def test_a_name_in_two_kinds_needs_its_kind(cli: Cli, mine: Path) -> None:
    other = mine.parents[2] / "loras" / "style" / mine.name
    other.parent.mkdir(parents=True)
    other.write_bytes(mine.read_bytes())
    unclear = cli("models", "show", "style/my [model].safetensors")
    assert unclear.code == 2
    assert "checkpoints and loras" in unclear.err
    assert cli("models", "show", "style/my [model].safetensors", "--kind", "loras").code == 0


def test_hash_prints_and_remembers(cli: Cli, mine: Path) -> None:
    first = cli("models", "hash")
    assert min(first.out.splitlines()).startswith(TINY)
    assert len(first.out.splitlines()) == 3
    assert cli("models", "hash").out == ""
    assert cli("models", "hash", "tiny.safetensors").out == f"{TINY}  tiny.safetensors\n"


def test_verify_finds_what_changed_without_a_trace(cli: Cli, mine: Path) -> None:
    assert "no hash yet  checkpoints/style/my [model].safetensors" in cli("models", "verify").out
    cli("models", "hash")
    assert cli("models", "verify", "style/my [model].safetensors").out.startswith("whole")
    _rot(mine)
    verified = cli("models", "verify")
    assert verified.code == 1
    assert "DAMAGED  checkpoints/style/my [model].safetensors" in verified.out
    assert "whole  checkpoints/tiny.safetensors" in verified.out
    assert "nodegraph models pull" in verified.err
    assert cli("models", "verify").code == 1  # it stays known what the content was


def _rot(path: Path) -> None:
    """Change a byte as a failing disk does: the index has a hash for the file as it is."""
    import sqlite3

    database = sqlite3.connect(path.parents[3] / "file_index.sqlite")
    old = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    new = path.stat()
    rows = [
        ":".join(map(str, (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns))) for s in (new, old)
    ]
    with database:
        assert database.execute("UPDATE hashes SET stamp = ? WHERE stamp = ?", rows).rowcount == 1
    database.close()
