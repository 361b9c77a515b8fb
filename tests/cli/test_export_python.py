"""`nodegraph export-python`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nodegraph.engine import Engine
from tests.cli.conftest import TEMPLATE, Cli


def test_the_printed_code_builds_the_workflow(cli: Cli, tmp_path: Path) -> None:
    found = cli("export-python", TEMPLATE)
    assert (found.code, found.err) == (0, "")
    namespace: dict[str, Any] = {}
    exec(found.out, namespace)  # noqa: S102 - that it can be executed is the test
    with Engine(tmp_path) as engine:
        assert namespace["document"].to_json() == engine.load(TEMPLATE).to_json()


def test_a_missing_workflow_is_named(cli: Cli) -> None:
    found = cli("export-python", "none.json")
    assert found.code == 2
    assert "none.json" in found.err
