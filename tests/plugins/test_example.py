"""The example pack keeps its promise: eight lines for the first node, four for each further one."""

from __future__ import annotations

import ast
from pathlib import Path

import nodegraph_example
from nodegraph.packs import load_packs

SOURCE = Path(nodegraph_example.__file__)


def _lines(source: str, start: int, end: int) -> int:
    """Lines from start to end (counted from 1) that are not blank."""
    return sum(bool(line.strip()) for line in source.splitlines()[start - 1 : end])


def test_a_first_node_takes_eight_lines_and_each_further_one_four() -> None:
    source = SOURCE.read_text("utf-8")
    module = ast.parse(source)
    body = module.body[1:]  # after the docstring
    nodes = [item for item in body if isinstance(item, ast.FunctionDef) and ast.get_docstring(item)]
    sizes = [_lines(source, item.decorator_list[0].lineno, item.end_lineno or 0) for item in nodes]
    everything = _lines(source, body[0].lineno, body[-1].end_lineno or 0)
    assert everything - sum(sizes[1:]) == 8
    assert sizes[1:] == [4] * (len(nodes) - 1) != []


def test_its_nodes_are_found_by_their_entry_point() -> None:
    packs = load_packs()
    (pack,) = [pack for pack in packs.loaded if pack.name == "example"]
    assert pack.distribution == "nodegraph-example"
    assert {"example.mirror", "example.brighten"} <= packs.registry.nodes.keys()
    assert packs.registry.nodes["example.mirror"].pack == "example"
