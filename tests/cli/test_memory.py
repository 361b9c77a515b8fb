"""Memory on the command line: a budget, and what is held under it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import TEMPLATE, Cli


def test_every_held_byte_is_listed_with_its_owner_and_reason(cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "run", TEMPLATE, "--steps", "1", "--explain-memory", "--device", "cpu", "-o", str(tmp_path / "a.png")
    )
    assert done.code == 0, done.err
    words = " ".join(done.err.split())
    for part in ("denoiser weights, float32", "tiny.safetensors", "kept for the next run", "all together"):
        assert part in words
    assert [line for line in done.out.splitlines() if line]


def test_a_budget_that_nothing_fits_into_is_refused_with_the_bytes(cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "run", TEMPLATE, "--steps", "1", "--model-memory", "0.000001", "--device", "cpu",
        "-o", str(tmp_path / "a.png"),
    )  # fmt: skip
    assert done.code != 0
    words = " ".join(done.err.split())
    assert "does not fit into the memory" in words
    assert "1,073 bytes" in words
