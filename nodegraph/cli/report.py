"""Plans and times as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from nodegraph.execution.plan import Plan
from nodegraph.execution.results import RunResult

# Which part of the time a node belongs to; every other node counts under its own category.
_PHASES: Mapping[str, str] = {"Text": "encode", "Sampling": "sample", "Latent": "decode", "Load": "load"}


def show_plan(plan: Plan) -> None:
    """Print what would run and why, in running order."""
    table = Table(box=None, pad_edge=False)
    for column in ("node", "type", "what", "why"):
        table.add_column(column, overflow="fold")
    for id_, entry in plan.entries.items():
        table.add_row(id_, entry.node.type.id, entry.action, entry.reason)
    Console().print(table)
    for note in plan.graph.notes:
        Console().print(f"note: {note}", markup=False, highlight=False)


def show_times(result: RunResult, imported: float, total: float) -> None:
    """Print on stderr where the time went: import, load, the nodes by phase, and the rest."""
    phases = dict.fromkeys(("import", "load", "encode", "sample", "decode"), 0.0)
    phases["import"] = imported
    for id_, finished in result.nodes.items():
        category = result.plan.entries[id_].node.type.category.split("/")[0]
        phase = _PHASES.get(category, category.lower() or "other")
        phases[phase] = phases.get(phase, 0.0) + finished.seconds - finished.loading
        phases["load"] += finished.loading
    phases["other"] = max(0.0, total - sum(phases.values()))
    text = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in phases.items() if seconds >= 0.005)
    reused = sum(finished.outcome in ("memory", "saved") for finished in result.nodes.values())
    note = f"; {reused} reused" if reused else ""
    Console(stderr=True).print(f"time: {text}; total {total:.2f} s{note}", highlight=False)


def show_memory(entries: Sequence[Mapping[str, Any]]) -> None:
    """Print on stderr every held entry: bytes, where, what, whose and why; the sum of each tier last."""
    table = Table(box=None, pad_edge=False)
    for column in ("bytes", "where", "what", "of", "why"):
        table.add_column(column, overflow="fold", justify="right" if column == "bytes" else "left")
    totals: dict[str, int] = {}
    for entry in entries:
        totals[entry["tier"]] = totals.get(entry["tier"], 0) + entry["bytes"]
        table.add_row(
            f"{entry['bytes']:,}", *(str(entry[name]) for name in ("tier", "what", "owner", "reason"))
        )
    for tier, total in totals.items():
        table.add_row(f"{total:,}", tier, "all together")
    console = Console(stderr=True)
    if not console.is_terminal:
        console.width = 200  # a file has no edge to fold at
    console.print(table)
