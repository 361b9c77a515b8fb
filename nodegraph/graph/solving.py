"""Solving generic nodes while a graph is bound: type variables from inputs, and from the bodies they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from nodegraph.declare import NodeType
from nodegraph.errors import Problem
from nodegraph.graph.bodies import Body
from nodegraph.graph.generics import DisagreementError, Solution, literal_type, substitute, unify
from nodegraph.registry import suggest
from nodegraph.sockets import SocketType, SubgraphType, assignable


class Report(Protocol):
    """Notes a problem at a node's input."""

    def __call__(
        self, code: str, message: str, node: str | None, name: str | None = None, *,
        expected: str | None = None, found: str | None = None, remedy: str | None = None,
    ) -> None: ...  # fmt: skip


class Solver:
    """The solutions of the generic nodes of one graph, by node id."""

    def __init__(
        self, report: Report, find_body: Callable[[str], Body | None], names: Callable[[], list[str]]
    ):
        self._report = report
        self._find_body = find_body
        self._names = names
        self.solutions: dict[str, Solution] = {}

    def output_type(self, node: str, type_: NodeType, output: str) -> SocketType:
        """The type of an output, with what is known of its type variables."""
        declared = type_.outputs[output].type
        return substitute(declared, self.solutions.get(node, {})) if type_.is_generic else declared

    def solve(
        self, node: str, type_: NodeType, params: Mapping[str, Any], linked: Mapping[str, SocketType]
    ) -> None:
        """Learn a node's type variables from the types that are linked and the literals that are written."""
        solution: Solution = {}
        self.solutions[node] = solution
        for name, spec in type_.inputs.items():
            given = linked[name] if name in linked else literal_type(params.get(name))
            if given is not None:
                self._unify(node, name, spec.type, given, solution)
        for name, pattern in type_.body_inputs.items():
            self._solve_body(node, name, pattern, params.get(name), solution)

    def _unify(
        self, node: str, name: str, pattern: SocketType, given: SocketType, solution: Solution
    ) -> None:
        try:
            unify(pattern, given, solution)
        except DisagreementError as error:
            self._report(
                "wrong_type", str(error), node, name, expected=error.first.words, found=error.second.words
            )

    def _solve_body(
        self, node: str, name: str, pattern: SubgraphType, written: object, solution: Solution
    ) -> None:
        if not isinstance(written, str):
            return  # it is missing or linked, and was reported
        if not written.startswith("#"):
            self._report(
                "wrong_type", "a subgraph is written as '#name'", node, name,
                expected="#name", found=repr(written),
            )  # fmt: skip
            return
        body = self._find_body(written[1:])
        if body is None:
            self._report(
                "unknown_subgraph", f"the document defines no subgraph '{written[1:]}'", node, name,
                remedy=suggest(written[1:], self._names()) or "Add its definition to 'subgraphs'.",
            )  # fmt: skip
            return
        self._check_gives(node, name, pattern, body, solution)
        self._check_takes(node, name, pattern, body, solution)

    def _check_gives(
        self, node: str, name: str, pattern: SubgraphType, body: Body, solution: Solution
    ) -> None:
        for output, wanted in pattern.gives:
            if output not in body.type.outputs:
                self._report(
                    "unknown_output", f"the subgraph '{body.name}' has no output '{output}'", node, name,
                    expected=f"an output '{output}': {wanted.words}",
                    found=", ".join(body.type.outputs) or "no outputs",
                )  # fmt: skip
                continue
            given = body.type.outputs[output].type
            self._unify(node, name, wanted, given, solution)
            verdict = assignable(given, substitute(wanted, solution))
            if not verdict.ok:
                message = f"the output '{output}' of '{body.name}' does not fit: {verdict.reason}"
                self._report("wrong_type", message, node, name, expected=wanted.words, found=given.words)

    def _check_takes(
        self, node: str, name: str, pattern: SubgraphType, body: Body, solution: Solution
    ) -> None:
        takes = dict(pattern.takes)
        for input_, spec in body.type.inputs.items():
            if input_ not in takes:
                if spec.required:
                    self._report(
                        "missing_input", f"nothing gives the input '{input_}' of '{body.name}'", node, name,
                        expected=" or ".join(takes), remedy="Give it a default, or rename it.",
                    )  # fmt: skip
                continue
            given = substitute(takes[input_], solution)
            verdict = assignable(given, spec.type)
            if not verdict.ok:
                message = f"the input '{input_}' of '{body.name}' does not fit: {verdict.reason}"
                self._report("wrong_type", message, node, name, expected=spec.type.words, found=given.words)


def placed(problem: Problem, body: str) -> Problem:
    """A problem inside a body, with the body in its place: `#body/node`."""
    node = f"#{body}/{problem.node}" if problem.node is not None else f"#{body}"
    return Problem(
        problem.code, problem.message, node, problem.title, problem.input, problem.expected, problem.found,
        problem.remedy,
    )  # fmt: skip
