"""`nodegraph nodes ID` says what growing inputs and records take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph.cli.catalogue import show_node
from nodegraph.engine import Engine
from nodegraph.packs import load_packs
from tests.graph.typed_nodes import TypedPack


@pytest.fixture
def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """What is printed about a node of the typed pack."""

    def show(node: str) -> str:
        packs = load_packs(extra=[("typed", TypedPack())], installed=False)
        with Engine(tmp_path, packs=packs) as engine:
            show_node(engine.registry.nodes[node], engine)
        return capsys.readouterr().out

    return show


def test_growing_inputs_say_what_each_value_may_be(shown: Callable[[str], str]) -> None:
    text = " ".join(shown("typed.listed").split())
    assert "rest any number of: text []" in text
    assert "named any number, by name, of: whole number or text {}" in text


def test_records_are_explained_field_by_field(shown: Callable[[str], str]) -> None:
    text = shown("typed.transform")
    assert (
        'Resize: Make it another size.\n  kind: "resize"\n  width: integer\n  scale: number = 1.0\n' in text
    )
    assert "Crop: Keep a part of it.\n" in text
