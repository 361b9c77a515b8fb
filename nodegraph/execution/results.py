"""What a run gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nodegraph.errors import CancelledError, InputError, RunFailedError
from nodegraph.execution import events
from nodegraph.execution.executor import RunState
from nodegraph.execution.plan import Plan
from nodegraph.graph.binding import BoundGraph
from nodegraph.registry import suggest
from nodegraph.runtime import Artifact, RunRecord


@dataclass(frozen=True, repr=False)  # asyncio.run prints its result into a message: it must be short
class RunResult:
    """What a run gave: named outputs, saved files, and what happened to each node."""

    outputs: Mapping[str, Any]
    artifacts: Sequence[Artifact]
    nodes: Mapping[str, events.NodeFinished]
    plan: Plan
    record: RunRecord

    def __repr__(self) -> str:
        return f"<RunResult of {len(self.nodes)} nodes: {', '.join(self.outputs)}>"

    def key(self, node: str) -> str:
        """The key of a node's result. InputError if the workflow has no such node."""
        entry = self.plan.entries.get(node)
        if entry is None or entry.key is None:
            raise InputError(
                f"there is no node '{node}'", code="unknown_node", remedy=suggest(node, self.plan.entries)
            )
        return entry.key

    def outcomes(self, outcome: events.Outcome) -> list[str]:
        """The nodes with that outcome, in the order in which they finished."""
        return [id_ for id_, finished in self.nodes.items() if finished.outcome == outcome]


def result_of(graph: BoundGraph, planned: Plan, record: RunRecord, state: RunState) -> RunResult:
    """The result of a run that is over. Raises CancelledError or RunFailedError where there is none."""
    if state.cancelled:
        raise CancelledError("the run was cancelled")
    if state.failures:
        raise RunFailedError(state.failures)
    done = state.outputs
    outputs = {name: done[node][output] for name, (node, output) in graph.outputs.items() if node in done}
    return RunResult(outputs, tuple(state.artifacts), state.finished, planned, record)
