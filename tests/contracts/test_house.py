"""The rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Paths of a private machine. In halves, so that this file does not hold them.
PRIVATE = re.compile("|".join(("/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w+/")))


def tracked(*suffixes: str) -> list[Path]:
    """The files of the repository (or, in an unpacked archive without history, the files that lie there)."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - whichever git there is
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        paths = [ROOT / name for name in listed if name]
    else:
        folders = ("nodegraph", "nodes", "plugins", "tests", "benchmarks", "docs")
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return [path for path in paths if path.suffix in suffixes and path.is_file()]


def test_no_source_file_is_longer_than_500_lines() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in tracked(".py")
        if (count := len(path.read_text("utf-8").splitlines())) > 500
    }
    assert not long


def test_no_file_names_a_place_on_a_private_machine() -> None:
    suffixes = (".py", ".md", ".json", ".toml", ".txt", ".yml", ".yaml", ".cfg", "")
    found = {
        path.relative_to(ROOT).as_posix(): match.group()
        for path in tracked(*suffixes)
        if (match := PRIVATE.search(path.read_text("utf-8", "replace")))
    }
    assert not found


@pytest.mark.parametrize("pyproject", ["pyproject.toml", "plugins/nodegraph-example/pyproject.toml"])
def test_every_dependency_has_its_reason_beside_it(pyproject: str) -> None:
    text = (ROOT / pyproject).read_text("utf-8")
    project = tomllib.loads(text)["project"]
    extras = [item for items in project.get("optional-dependencies", {}).values() for item in items]
    for dependency in [*project["dependencies"], *extras]:
        if dependency != "nodegraph":
            assert re.search(rf'"{re.escape(dependency)}",\s*# \w', text), dependency


def test_oracles_are_no_runtime_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[<>=~! ]", item)[0] for item in project["dependencies"]}
    assert not names & {"diffusers", "peft", "pytest", "hypothesis"}


def test_the_tests_of_the_engine_neither_sleep_nor_mock() -> None:
    """They wait for events and count; they replace none of our own code."""
    forbidden = re.compile("|".join(("time" + r"\.sleep", "unittest" + r"\.mock", "Magic" + "Mock")))
    ours = [ROOT / "tests" / name for name in ("graph", "execution", "modelfiles", "contracts", "plugins")]
    found = [
        path.relative_to(ROOT).as_posix()
        for path in tracked(".py")
        if path.parent in ours and forbidden.search(path.read_text("utf-8"))
    ]
    assert not found
