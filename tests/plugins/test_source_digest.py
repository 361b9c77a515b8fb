"""Editing a third-party pack changes the keys of its nodes, whether or not its author raised a version."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from nodegraph.engine import Engine
from nodegraph.packs import load_packs

SOURCE = """
from nodegraph import hookimpl, node

@node("mine.number", lane="inline")
def number(value: float = 0.0) -> float:
    return value {change}

@hookimpl
def register_nodes() -> list[object]:
    return [number]
"""
DOCUMENT = {
    "nodegraph": 1,
    "nodes": {"one": {"type": "mine.number"}},
    "outputs": {"one": {"from": "one"}},
}


def module(path: Path, change: str) -> ModuleType:
    path.parent.mkdir(exist_ok=True)
    path.write_text(SOURCE.format(change=change))
    spec = importlib.util.spec_from_file_location("mine", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def key_and_value(folder: Path, change: str) -> tuple[str | None, float]:
    pack = module(folder / "mine" / "__init__.py", change)
    with Engine(folder / "data", packs=load_packs(extra=[("mine", pack)], installed=False)) as engine:
        result = engine.run_sync(DOCUMENT)
        return result.plan.entries["one"].key, result.outputs["one"]


def test_an_edited_pack_has_other_keys(tmp_path: Path) -> None:
    first = key_and_value(tmp_path, "+ 1")
    again = key_and_value(tmp_path, "+ 1")
    edited = key_and_value(tmp_path, "+ 2.0")
    assert first == again
    assert edited[0] != first[0]
    assert (first[1], edited[1]) == (1.0, 2.0)
