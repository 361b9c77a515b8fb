"""One tree of errors. Every error is data (a `Problem`) and a sentence (`describe()`).

A problem names the place (node, input), what was expected, what was found and what to do next; the
engine never formats anything but plain sentences, so the editor, the API and the CLI share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

_LONGEST_CAUSE = 2_000  # characters
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where. `code` is stable; the other fields are for people."""

    code: str
    message: str
    node: str | None = None
    title: str | None = None
    input: str | None = None
    expected: str | None = None
    found: str | None = None
    remedy: str | None = None

    def describe(self) -> str:
        """The problem as one or two sentences: place, message, expected and found, remedy."""
        parts = [f"{self._place()}{self.message}"]
        if self.expected and self.found:
            parts.append(f"expected {self.expected}, found {self.found}")
        elif self.expected:
            parts.append(f"expected {self.expected}")
        elif self.found:
            parts.append(f"found {self.found}")
        text = "; ".join(parts)
        text = text if text.endswith((".", "!", "?")) else text + "."
        return f"{text} {self.remedy}" if self.remedy else text

    def _place(self) -> str:
        if self.node is None:
            return f"input '{self.input}': " if self.input else ""
        name = f"node '{self.node}'" + (f" ({self.title})" if self.title and self.title != self.node else "")
        return f"{name}, input '{self.input}': " if self.input else f"{name}: "

    def to_json(self) -> dict[str, str]:
        """The fields that are set, for the wire."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def at(self, node: str, title: str | None = None) -> Problem:
        """The same problem placed at a node, unless it already has a place."""
        return self if self.node is not None else replace(self, node=node, title=title)


class NodegraphError(Exception):
    """Root of everything nodegraph raises on purpose. Carries one `Problem`."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        node: str | None = None,
        input: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(
            code or self.code, message, node=node, input=input, expected=expected, found=found, remedy=remedy
        )

    def describe(self) -> str:
        """The error as plain sentences."""
        return self.problem.describe()

    def __str__(self) -> str:
        return self.describe()


def brief(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    try:
        text = repr(value[:_LONGEST_VALUE] if isinstance(value, str) else value)
    except Exception:  # noqa: BLE001 - Python refuses to write such numbers, and foreign code may do anything
        return "a number too long to write" if isinstance(value, int) else f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def cause_of(error: BaseException) -> str:
    """The class and the message of any exception, cut where it would fill a screen.

    Of one that cannot say its message (its `__str__` raises) the class alone.
    """
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - foreign code: what it raises here would hide what it raised before
        return f"{name} (it cannot say its message)"
    if len(text) > _LONGEST_CAUSE:
        text = text[: _LONGEST_CAUSE - 1] + "…"
    return f"{name}: {text}" if text else name


class DeclarationError(NodegraphError):
    """A node, socket or plugin is declared in a way that cannot work; for its author."""

    code = "bad_declaration"


class PackError(NodegraphError):
    """A pack of nodes cannot be used."""

    code = "bad_pack"


class InputError(NodegraphError):
    """What a user gave (a file, a value, an option) cannot be used."""

    code = "bad_input"


class ModelFileError(InputError):
    """A model file is missing, damaged, of an unknown family or does not fit its use."""

    code = "bad_model_file"


class WorkflowError(NodegraphError):
    """A workflow cannot be run: all its problems at once."""

    code = "bad_workflow"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        count = len(self.problems)
        super().__init__("the workflow has a problem" if count == 1 else f"the workflow has {count} problems")

    def describe(self) -> str:
        return "\n".join(problem.describe() for problem in self.problems)


class NodeFailedError(NodegraphError):
    """A node raised while it ran. `cause` is what it raised; `inputs` describes what it was given."""

    code = "node_failed"

    def __init__(self, problem: Problem, cause: BaseException | None, inputs: Mapping[str, str]) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.cause = cause
        self.inputs = dict(inputs)


class RunFailedError(NodegraphError):
    """One or more nodes of a run failed; the rest of the run finished."""

    code = "run_failed"

    def __init__(self, failures: Iterable[NodeFailedError]) -> None:
        self.failures: tuple[NodeFailedError, ...] = tuple(failures)
        super().__init__("the run failed")

    def describe(self) -> str:
        return "\n".join(failure.describe() for failure in self.failures)


class CancelledError(NodegraphError):
    """The run was cancelled."""

    code = "cancelled"
