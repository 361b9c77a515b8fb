"""Nested runs: a control node runs a body; its nodes are planned and executed like those of any graph.

The inputs of the body are given nodes: results that are already there, under the keys that the control node
passes on. Nodes inside carry paths such as `loop/3/sample` in events and messages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from nodegraph.errors import CancelledError, InputError, NodeFailedError
from nodegraph.execution import events
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.keys import digest
from nodegraph.execution.overlap import AT_ONCE
from nodegraph.execution.plan import has_effect
from nodegraph.graph.binding import BoundGraph
from nodegraph.graph.bodies import GIVEN, Body
from nodegraph.runtime import Keyed

if TYPE_CHECKING:
    from nodegraph.execution.executor import RunState

RunGraph = Callable[
    [BoundGraph, Mapping[str, Keyed], events.Emit, CancelToken],
    Awaitable["tuple[RunState, Mapping[str, str]]"],
]
"""Plans and executes a body's graph with its given nodes; gives what came of it, and the nodes' keys."""

_INNER = (
    events.NodeStarted, events.NodeProgress, events.NodePreview, events.NodeShown, events.NodeSaved,
    events.NodeFinished,
)  # fmt: skip


def value_key(value: Any) -> str:
    """The key of a plain value, whoever gives it."""
    return digest(["value", value])


class NestedRuns:
    """Runs the bodies of one document."""

    def __init__(self, bodies: Mapping[str, Body], run_graph: RunGraph) -> None:
        self._bodies = bodies
        self._run_graph = run_graph

    def width(self, body: str) -> int:
        """How many runs of a body may overlap. What saves or shows does so in order, one after another."""
        graph = self._find(body).graph
        return 1 if any(has_effect(graph, node) for node in graph.nodes.values()) else AT_ONCE

    async def run(
        self, body: str, inputs: Mapping[str, Keyed], path: str, emit: events.Emit, cancel: CancelToken
    ) -> tuple[dict[str, Keyed], RunState]:
        """The outputs of a body by name. Raises NodeFailedError for the first node inside that failed."""
        found = self._find(body)
        given = self._given(found, inputs)
        state, keys = await self._run_graph(found.graph, given, _placed(emit, path), cancel)
        if state.failures:
            first = state.failures[0]
            problem = replace(first.problem, node=f"{path}/{first.problem.node}")
            raise NodeFailedError(problem, first.cause, first.inputs)
        if state.cancelled:
            raise CancelledError("the run was cancelled")
        lasting = all(keyed.lasting for keyed in given.values())
        outputs = {
            name: Keyed(state.outputs[node][output], digest([keys[node], output]), lasting)
            for name, (node, output) in found.graph.outputs.items()
        }
        return outputs, state

    def _find(self, body: str) -> Body:
        found = self._bodies.get(body.removeprefix("#"))
        if found is None:
            raise InputError(f"there is no subgraph '{body}' to run", code="unknown_subgraph")
        return found

    def _given(self, body: Body, inputs: Mapping[str, Keyed]) -> dict[str, Keyed]:
        """The given nodes of a body: what it takes of what is offered. Others give their defaults."""
        given: dict[str, Keyed] = {}
        for name, spec in body.type.inputs.items():
            if name in inputs:
                given[GIVEN + name] = inputs[name]
            elif spec.required:
                raise InputError(f"the subgraph '#{body.name}' is not given its input '{name}'", input=name)
        return given


def _placed(emit: events.Emit, path: str) -> events.Emit:
    """Tell of nodes inside by their path; the run is the outer one's to tell of."""

    def place(event: events.Event) -> None:
        if isinstance(event, _INNER):
            if not event.node.startswith(GIVEN):
                emit(structs.replace(event, node=f"{path}/{event.node}"))
        elif isinstance(event, events.NodeFailed):
            node = f"{path}/{event.node}"
            emit(events.NodeFailed(node, replace(event.problem, node=node)))

    return place
