"""Whether what a plan makes can be saved: asked before the work, so that none is lost."""

from __future__ import annotations

from pathlib import Path

from nodegraph.errors import Problem, WorkflowError
from nodegraph.execution.files import why_unwritable
from nodegraph.execution.plan import Plan, effects_of


def check_outputs(planned: Plan, folder: Path) -> None:
    """WorkflowError, placed at the first node that would save, if the output folder cannot be written."""
    entries = planned.entries
    effects = [entries[id_].node for id_ in effects_of(planned.graph) if entries[id_].action == "run"]
    reason = why_unwritable(folder) if effects else ""
    if reason:
        message = f"the output folder '{folder}' cannot be written: {reason}"
        remedy = "Free its permissions, or name another data directory (--data-dir or NODEGRAPH_DATA)."
        raise WorkflowError([Problem("unwritable", message, effects[0].id, effects[0].title, remedy=remedy)])
