"""Between the engine's values and a node's function: its arguments, its outputs, its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegraph.codecs import describe_value
from nodegraph.declare import NodeType
from nodegraph.errors import DeclarationError, NodegraphError, Problem, WorkflowError, cause_of
from nodegraph.execution.context import NodeContext
from nodegraph.graph import literals
from nodegraph.graph.binding import BoundNode

Outputs = Mapping[str, Any]


def arguments_of(node: BoundNode, values: dict[str, Any], context: NodeContext | None) -> dict[str, Any]:
    """The values as the node's own annotations want them. InputError where a linked one is out of range."""
    for name in node.links:
        spec, value = node.type.inputs[name], values[name]
        if type(value) is not spec.plain:
            values[name] = literals.accept(spec, value)
    if context is not None and node.type.context_parameter:
        context.given(values)
        values[node.type.context_parameter] = context
    return values


def outputs_of(type_: NodeType, returned: Any) -> Outputs:
    """What a node returned, by output name. DeclarationError if it is not what it declares."""
    specs = type_.outputs
    if type(returned) is type_.plain_output:  # most nodes that are called millions of times
        return dict.fromkeys(specs, returned)
    if not specs:
        return {}
    if len(specs) == 1 and not hasattr(returned, "_fields"):
        returned = (returned,)
    elif not isinstance(returned, tuple) or len(returned) != len(specs):
        raise DeclarationError(
            f"'{type_.id}' returned {type(returned).__name__}", expected=f"a tuple of {', '.join(specs)}"
        )
    for spec, value in zip(specs.values(), returned, strict=True):
        if not spec.type.holds(value):
            raise DeclarationError(
                f"'{type_.id}' returned something else than it declares as '{spec.name}'",
                expected=spec.type.words,
                found=describe_value(value),
            )
    return dict(zip(specs, returned, strict=True))


def problem_of(error: BaseException) -> Problem:
    """What a node raised, as a problem; anything that is not ours is told by its class and message."""
    if isinstance(error, WorkflowError):  # of a body that could not be planned
        return error.problems[0]
    problem = getattr(error, "problem", None) if isinstance(error, NodegraphError) else None
    return problem if isinstance(problem, Problem) else Problem("node_failed", cause_of(error))
