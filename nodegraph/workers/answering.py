"""Questions about workflows and about what an engine holds, answered as JSON data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nodegraph.engine import Engine
from nodegraph.errors import Problem, WorkflowError
from nodegraph.execution.plan import resolve_targets
from nodegraph.workers.translate import data_of


def check_of(
    engine: Engine, workflow: bytes, inputs: Mapping[str, Any], targets: Sequence[str] | None
) -> list[Problem]:
    """Every problem of a workflow (a document, or `template:NAME`, as JSON), its inputs and targets.

    InputError: there is no such template.
    """
    try:
        resolve_targets(engine.bind(msgspec.json.decode(workflow), **inputs), targets)
    except WorkflowError as error:
        return list(error.problems)
    return []


def plan_of(
    engine: Engine, workflow: bytes, inputs: Mapping[str, Any], targets: Sequence[str] | None
) -> dict[str, Any]:
    """The problems of a workflow, or what happens to each node and why, and what was assumed."""
    try:
        planned = engine.plan(msgspec.json.decode(workflow), targets=targets, **inputs)
    except WorkflowError as error:
        return {"problems": [data_of(problem) for problem in error.problems]}
    entries = {
        id_: {"action": entry.action, "reason": entry.reason} for id_, entry in planned.entries.items()
    }
    return {"problems": [], "plan": entries, "notes": list(planned.graph.notes)}


def catalogue(engine: Engine, _data: Any) -> Any:
    """Every node type with its schemas."""
    return [type_.to_json() for type_ in engine.registry.nodes.values()]


def vocabulary(engine: Engine, _data: Any) -> Any:
    """The names that inputs may be given: of choices and files, and how value classes derive."""
    registry = engine.registry
    classes = registry.codecs.classes()
    return {
        "choices": {
            name: [{"name": entry.name, "help": entry.help} for entry in registry.choices(name).values()]
            for name in registry.choice_registries
        },
        "files": {
            kind: list(engine.files.names(kind)) for kind in engine.files.folders if " of " not in kind
        },
        "classes": {
            name: [other for other, cls in classes.items() if cls in one.__mro__[1:]]
            for name, one in classes.items()
        },
    }


def check(engine: Engine, data: Any) -> Any:
    """The problems of `workflow` with `inputs` for `targets`."""
    workflow = msgspec.json.encode(data["workflow"])
    found = check_of(engine, workflow, data.get("inputs", {}), data.get("targets"))
    return [data_of(problem) for problem in found]


def plan(engine: Engine, data: Any) -> Any:
    """The plan of `workflow` with `inputs` for `targets`."""
    workflow = msgspec.json.encode(data["workflow"])
    return plan_of(engine, workflow, data.get("inputs", {}), data.get("targets"))


def explain(engine: Engine, _data: Any) -> Any:
    """Every held byte with its owner and reason: weights, and results of nodes."""
    results = [
        {"key": kept.key, "node": kept.node, "bytes": kept.size, "seconds": kept.seconds, "tier": kept.tier}
        for kept in engine.explain_cache()
    ]
    return {"weights": [dict(one) for one in engine.resources.explain()], "results": results}


def clear(engine: Engine, _data: Any) -> Any:
    """Forget all results; how much that was."""
    files, size = engine.clear_cache()
    return {"files": files, "bytes": size}


ANSWERS = {
    "catalogue": catalogue, "vocabulary": vocabulary, "check": check, "plan": plan, "explain": explain,
    "clear": clear,
}  # fmt: skip
