"""Workflows of the tests of control flow, and what they are run with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nodegraph_nodes
from nodegraph import Engine
from nodegraph.packs import load_packs
from tests.execution.work import Work
from tests.toy import Toy, shown, workflow


def logic_engine(toy: Toy, folder: Path, *others: tuple[str, object]) -> Engine:
    """An engine with the built-in pack and the toy pack, whose resources come first: no torch is needed."""
    packs = load_packs(
        extra=[("builtin", nodegraph_nodes), ("toy", toy), ("work", Work()), *others], installed=False
    )
    return Engine(folder, packs=packs)


def flow(nodes: dict[str, tuple[str, dict[str, Any]]], out: str, **subgraphs: Any) -> dict[str, Any]:
    """A workflow whose output `result` shows a node."""
    return workflow(nodes, subgraphs=subgraphs, **shown(out))


def body(
    type_: str | dict[str, Any], out: str, nodes: dict[str, Any], /, **inputs: str | dict[str, Any]
) -> dict[str, Any]:
    """A definition that gives `result` of a type from a node; inputs are written as name and type."""
    taken = workflow(nodes)["nodes"]
    return {
        "inputs": {name: {"type": one} if isinstance(one, str) else one for name, one in inputs.items()},
        "outputs": {"result": {"type": type_, "from": out}},
        "nodes": taken,
    }
