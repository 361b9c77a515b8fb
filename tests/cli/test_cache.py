"""`nodegraph cache`: what is on disk, why nodes would run, and making room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodegraph.engine import DISK_CACHE_BYTES
from tests.cli.conftest import TEMPLATE, Cli

DEVICE = ("sample", "text.encode", "vae.decode")  # others are kept where they take long, on a slow machine
QUICK = ("--steps", 1, "--seed", 1)


@pytest.fixture
def filled(cli: Cli) -> Cli:
    """The command line after one run."""
    assert cli("run", TEMPLATE, *QUICK, "-o", "a.png", "--quiet").code == 0
    return cli


def test_an_empty_cache_says_so(cli: Cli) -> None:
    assert cli("cache", "list").out == "0 results on disk, 0 bytes\n"
    assert json.loads(cli("cache", "list", "--json").out) == []
    assert cli("cache", "clear").out == "removed 0 results, 0 bytes\n"


def test_the_list_names_node_size_and_cost(filled: Cli) -> None:
    shown = filled("cache", "list").out
    rows = json.loads(filled("cache", "list", "--json").out)
    nodes = [row["node"] for row in rows if row["node"] in DEVICE]
    assert sorted(nodes) == ["sample", "text.encode", "text.encode", "vae.decode"]
    assert all(row["size"] > 0 and row["seconds"] > 0 and len(row["key"]) == 40 for row in rows)
    for row in rows:
        assert row["key"][:12] in shown
    assert f"{len(rows)} results on disk, " in shown


def test_explain_says_why_every_node_would_run(filled: Cli) -> None:
    shown = filled("cache", "explain", TEMPLATE, "--steps", 1, "--seed", 2).out
    words = {line.split()[0]: line.split()[2:] for line in shown.splitlines() if len(line.split()) > 3}
    assert words["sample"] == ["run", "changed:", "seed"]
    assert words["positive"] == ["disk", "unchanged"]
    assert "would be read from disk" in shown
    same = filled("cache", "explain", TEMPLATE, *QUICK).out
    assert [line.split()[2] for line in same.splitlines() if line.startswith("decode")] == ["disk"]


def test_clearing_makes_every_node_run_again(filled: Cli) -> None:
    assert filled("cache", "clear").out.startswith("removed ")
    assert filled("cache", "list").out == "0 results on disk, 0 bytes\n"
    shown = filled("cache", "explain", TEMPLATE, *QUICK).out
    assert " disk " not in shown
    assert "first run" in shown


def test_a_damaged_entry_is_listed_and_cleared(filled: Cli, tmp_path: Path) -> None:
    paths = list((tmp_path / "data" / "cache").glob("*.safetensors"))
    for path in paths:
        path.write_bytes(b"something else")
    assert filled("cache", "list").out.count("(not ours)") == len(paths) >= 4
    assert filled("cache", "clear").out.startswith(f"removed {len(paths)} results, ")


def test_the_disk_cache_can_be_switched_off(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", TEMPLATE, *QUICK, "-o", "a.png", "--disk-cache", 0).code == 0
    assert not (tmp_path / "data" / "cache").exists()
    assert cli("run", TEMPLATE, "--disk-cache", -1).code == 2


def test_the_command_and_the_engine_have_one_default(cli: Cli) -> None:
    assert f"[default: {DISK_CACHE_BYTES / 2**30}" in " ".join(cli("run", "--help").out.split())


def test_a_debug_run_gives_the_same_picture(cli: Cli, tmp_path: Path) -> None:
    for name in ("plain", "debug"):
        options = ["--debug"] if name == "debug" else []
        assert cli("run", TEMPLATE, *QUICK, "-o", f"{name}.png", *options).code == 0
    from PIL import Image

    with Image.open("plain.png") as plain, Image.open("debug.png") as debug:
        assert plain.tobytes() == debug.tobytes()


@pytest.mark.parametrize("command", [(), ("list",), ("explain",), ("clear",)])
def test_every_command_explains_itself(cli: Cli, command: tuple[str, ...]) -> None:
    shown = cli("cache", *command, "--help")
    assert shown.code == 0
    assert "Usage: " in shown.out
    assert all(f"{name} " in shown.out for name in (("list", "explain", "clear") if not command else ()))


def test_explaining_what_cannot_run_lists_the_problems(cli: Cli) -> None:
    failed = cli("cache", "explain", TEMPLATE, "--stepz", 3)
    assert failed.code == 2
    assert "steps" in failed.err
