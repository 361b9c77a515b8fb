"""The rules of the house for the editor's sources."""

from __future__ import annotations

import json
import re
from pathlib import Path

FRONTEND = Path(__file__).parents[2] / "frontend"
SOURCES = [path for folder in ("src", "tests") for path in (FRONTEND / folder).rglob("*.ts*")]
GENERATED = FRONTEND / "src" / "api" / "schema.ts"


def test_every_dependency_has_its_reason() -> None:
    package = json.loads((FRONTEND / "package.json").read_text("utf-8"))
    reasons = (FRONTEND / "README.md").read_text("utf-8")
    for name in {**package["dependencies"], **package["devDependencies"]}:
        assert f"`{name}`" in reasons, name


def test_the_lock_file_names_no_registry() -> None:
    lock = (FRONTEND / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_no_source_file_is_longer_than_500_lines() -> None:
    long = {
        path.name: count
        for path in SOURCES
        if path != GENERATED and (count := len(path.read_text("utf-8").splitlines())) > 500
    }
    assert not long


def test_nothing_is_kept_from_the_type_checker() -> None:
    hidden = re.compile(r"@ts-(ignore|expect-error|nocheck)|: any\b|as any\b|<any>")
    found = [path.name for path in SOURCES if path != GENERATED and hidden.search(path.read_text("utf-8"))]
    assert not found


def test_files_have_one_idea() -> None:
    lengths = sorted(len(path.read_text("utf-8").splitlines()) for path in SOURCES if path != GENERATED)
    assert lengths[len(lengths) // 2] <= 130
