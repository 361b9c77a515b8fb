"""The arrows between the layers hold, and the linter that holds them sees a violation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packages and the contracts, in a folder where a test may break them."""
    folder = tmp_path_factory.mktemp("copy")
    ignore = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.png")
    shutil.copytree(ROOT / "nodegraph", folder / "nodegraph", ignore=ignore)
    shutil.copytree(ROOT / "nodes" / "nodegraph_nodes", folder / "nodegraph_nodes", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LINT], cwd=folder, env={"PYTHONPATH": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_hold(copy: Path) -> None:
    code, said = lint(copy)
    assert code == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("nodegraph/values.py", "from nodegraph import engine", "layers of the engine point downward"),
        ("nodegraph/graph/document.py", "import nodegraph_nodes", "the core knows no node"),
        ("nodegraph/engine.py", "import nodegraph.diffusion", "the core knows no node"),
        ("nodegraph/execution/plan.py", "def later():\n    import torch", "the core imports no torch"),
        ("nodegraph/diffusion/noise.py", "import nodegraph.graph", "the diffusion library knows no graph"),
        ("nodegraph/execution/plan.py", "import networkx", "networkx lives in graph.topology only"),
    ],
)
def test_a_planted_violation_is_seen(copy: Path, module: str, line: str, broken: str) -> None:
    path = copy / module
    before = path.read_text("utf-8")
    path.write_text(f"{before}\n{line}\n", "utf-8")
    try:
        code, said = lint(copy)
    finally:
        path.write_text(before, "utf-8")
    assert code != 0
    assert any(row.startswith(broken) and row.endswith("BROKEN") for row in said.splitlines()), said
