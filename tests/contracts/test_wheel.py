"""What travels in the wheel: two packages, their data, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network: the build backend is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_our_two_packages_and_nothing_else(names: set[str]) -> None:
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"nodegraph", "nodegraph_nodes"}


def test_every_file_of_both_packages_is_inside(names: set[str]) -> None:
    for package in (ROOT / "nodegraph", ROOT / "nodes" / "nodegraph_nodes"):
        here = {
            path.relative_to(package.parent).as_posix()
            for path in package.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert here <= names


def test_types_templates_and_models_travel(names: set[str]) -> None:
    assert {"nodegraph/py.typed", "nodegraph_nodes/py.typed"} <= names
    for folder, suffix in (("workflows", ".json"), ("models", ".safetensors")):
        assert any(name.startswith(f"nodegraph_nodes/{folder}/") and name.endswith(suffix) for name in names)


def test_nothing_of_the_workshop_travels(names: set[str]) -> None:
    parts = {part for name in names for part in Path(name).parts}
    assert not parts & {
        "tests",
        "benchmarks",
        "plugins",
        "docs",
        "frontend",
        "__pycache__",
        ".ci",
        "conftest.py",
    }


def test_entry_points_and_licence_are_there(wheel: Path, names: set[str]) -> None:
    (entry_points,) = [name for name in names if name.endswith(".dist-info/entry_points.txt")]
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(entry_points).decode()
    assert "[console_scripts]\nnodegraph = nodegraph.cli:main" in text
    assert "[nodegraph]\nbuiltin = nodegraph_nodes" in text
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_checker_agrees(wheel: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("check-wheel-contents"), str(wheel)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
