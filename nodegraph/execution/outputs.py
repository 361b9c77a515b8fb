"""Whether what a plan makes can be saved: asked before the work, so that none is lost."""

from __future__ import annotations

from pathlib import Path

from nodegraph.errors import Problem, WorkflowError
from nodegraph.execution.files import why_unwritable
from nodegraph.execution.plan import Plan


def check_outputs(planned: Plan, folder: Path) -> None:
    """WorkflowError, placed at the first node that would save, if the output folder cannot be written."""
    effects = [entry.node for entry in planned.entries.values() if entry.effect and entry.action == "run"]
    reason = why_unwritable(folder) if effects else ""
    if reason:
        message = f"the output folder '{folder}' cannot be written: {reason}"
        remedy = "Free its permissions, or name another data directory (--data-dir or NODEGRAPH_DATA)."
        raise WorkflowError([Problem("unwritable", message, effects[0].id, effects[0].title, remedy=remedy)])
