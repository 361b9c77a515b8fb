"""Every command and every Python example of the documentation runs as written."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Engine
from nodegraph.cli.app import app
from nodegraph.cli.failures import guarded
from nodegraph.declare import NodeType, node_type
from nodegraph.packs import load_packs
from tests.server.conftest import Server

ROOT = Path(__file__).parents[2]
SERVED = {"client.md"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A working directory like a clone: the examples are there. A server runs for the pages that need one."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODEGRAPH_DATA", str(tmp_path / "data"))
    server = Server(tmp_path / "data")
    if "page" in request.fixturenames and request.getfixturevalue("page").name in SERVED:
        server.start()
        monkeypatch.setenv("NODEGRAPH_SERVER", f"http://127.0.0.1:{server.port}")
    yield tmp_path
    server.end()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_commands_run_as_written(page: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines() if line]
    for line in lines:
        name, *arguments = shlex.split(line, comments=True)
        assert name == "nodegraph"
        assert guarded(partial(app, args=arguments)) == 0, f"{line}\n{capsys.readouterr().err}"
        if "-o" in arguments:
            assert (place / arguments[arguments.index("-o") + 1]).stat().st_size > 1000


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
@pytest.mark.usefixtures("place")
def test_python_runs_as_written(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "example"}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec", dont_inherit=True), namespace)  # noqa: S102 - our own documentation


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_examples_have_no_problems(path: Path, place: Path) -> None:
    with Engine(place / "data") as engine:
        assert engine.check(path) == []


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_documents_in_the_readme_are_the_example_files() -> None:
    documents = [json.loads(block) for block in blocks(ROOT / "README.md", "json")]
    assert documents == [json.loads((ROOT / "examples" / "brighter.json").read_text())]


def test_the_example_in_the_readme_is_the_example_pack() -> None:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(blocks(ROOT / "README.md", "python")[0], "README.md", "exec", dont_inherit=True), namespace)  # noqa: S102 - our own documentation
    shown = node_type(namespace["mirror"])
    real: NodeType = load_packs().registry.nodes["example.mirror"]
    assert (shown.id, shown.help, shown.category) == (real.id, real.help, real.category)
