"""Random workflows, and the plain evaluator that says what they give."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.toy import workflow

SLOTS = ("a", "b", "c")
Rows = list[dict[str, Any]]  # one node: slot -> a number, or the index of an earlier node


@st.composite
def rows(draw: st.DrawFn, max_size: int = 12) -> Rows:
    """Nodes in order; each slot holds a number or reads from an earlier node."""
    count = draw(st.integers(1, max_size))
    found: Rows = []
    for index in range(count):
        earlier = st.integers(0, index - 1).map(lambda at: ("node", at)) if index else st.nothing()
        numbers = st.integers(-3, 3).map(lambda value: ("number", float(value)))
        found.append(draw(st.dictionaries(st.sampled_from(SLOTS), earlier | numbers)))
    return found


def document(rows: Rows, **fields: Any) -> dict[str, Any]:
    """The rows as a workflow of `toy.total` nodes `n0`, `n1` …, all of which are named outputs."""
    nodes = {
        f"n{index}": (
            "toy.total",
            {slot: f"@n{value}" if kind == "node" else value for slot, (kind, value) in row.items()},
        )
        for index, row in enumerate(rows)
    }
    return workflow(nodes, outputs={name: {"from": name} for name in nodes}, **fields)


def evaluate(rows: Rows) -> dict[str, float]:
    """What every node gives, computed in order without any engine."""
    values: list[float] = []
    for row in rows:
        values.append(sum(values[value] if kind == "node" else value for kind, value in row.values()))
    return {f"n{index}": value for index, value in enumerate(values)}


def descendants(rows: Rows, start: int) -> set[str]:
    """A node and everything that reads from it, near or far."""
    found = {start}
    for index, row in enumerate(rows):
        if any(kind == "node" and value in found for kind, value in row.values()):
            found.add(index)
    return {f"n{index}" for index in found}
