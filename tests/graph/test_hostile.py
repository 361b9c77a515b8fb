"""Documents that nobody writes by hand: a problem is told, and nothing raises, hangs or fills the memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nodegraph_nodes
from nodegraph import Engine
from nodegraph.errors import InputError
from nodegraph.graph import expand
from nodegraph.graph.sweep import Axis, cells
from nodegraph.packs import load_packs


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(
        tmp_path / "data", packs=load_packs(extra=[("builtin", nodegraph_nodes)], installed=False)
    ) as made:
        yield made


@pytest.mark.parametrize(
    "written",
    [
        {"type": "menu", "options": 5},
        {"type": "menu", "options": []},
        {"type": "menu", "options": [[1]]},
        {"type": "menu", "options": [1.5]},
        {"type": "choice", "registry": []},
        {"type": "file", "kind": {}},
        {"type": "list", "item": "image"},
        {"type": "union", "options": 3},
        {"type": "union", "options": []},
        {"type": "generic", "name": []},
        {"type": "variant", "options": [["a"]], "discriminator": 3},
        {"type": "variant", "options": [], "discriminator": None},
        {"type": "subgraph", "takes": [], "gives": 3},
        {"type": ["image"]},
        {"type": {}},
    ],
)
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_socket_types_that_make_no_sense_are_a_problem(engine: Engine, written: Any, side: str) -> None:
    inside: dict[str, Any] = {
        "inputs": {"a": {"type": "float"}},
        "outputs": {"result": {"type": "float", "from": "n"}},
        "nodes": {"n": {"type": "value.number", "inputs": {}}},
    }
    inside[side] = {name: {**entry, "type": written} for name, entry in inside[side].items()}
    nodes = {
        "use": {"type": "#s", "inputs": {"a": 1}},
        "loop": {"type": "logic.for_each", "inputs": {"body": "#s", "items": [1]}},
    }
    flow = {"nodegraph": 1, "nodes": nodes, "subgraphs": {"s": inside}, "inputs": {"a": {"to": ["use.a"]}}}
    assert "unknown_type" in {problem.code for problem in engine.check(flow, a=1)}


def test_bodies_that_run_bodies_end_somewhere(engine: Engine) -> None:
    def runs(body: str) -> dict[str, Any]:
        return {"type": "logic.for_each", "inputs": {"body": body, "items": [1]}}

    subgraphs = {
        f"b{depth}": {
            "outputs": {"result": {"type": "float", "from": "n"}},
            "nodes": {"n": runs(f"#b{depth + 1}")},
        }
        for depth in range(300)
    }
    flow = {"nodegraph": 1, "nodes": {"n": runs("#b0")}, "subgraphs": subgraphs}
    assert "too_deep" in {problem.code for problem in engine.check(flow)}


def test_an_expansion_without_measure_is_a_problem(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expand, "MAX_NODES", 5_000)
    subgraphs: dict[str, Any] = {
        f"s{depth}": {"nodes": {name: {"type": f"#s{depth + 1}"} for name in ("a", "b")}}
        for depth in range(60)
    }
    subgraphs["s60"] = {"nodes": {"n": {"type": "value.number"}}}
    flow = {"nodegraph": 1, "nodes": {"top": {"type": "#s0"}}, "subgraphs": subgraphs}
    assert "too_large" in {problem.code for problem in engine.check(flow)}


def test_a_sweep_without_measure_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="too large"):
        cells([Axis(f"axis{index}", tuple(range(1000))) for index in range(8)])
