"""The last run of each workflow, by the workflow's name: what a plan compares with to say why a node runs.

For each node it is the last run in which the node had a result: one that failed, was skipped or was never
reached keeps what is known of it.

Kept in memory for the workflows run last, and in a folder so that another process can say it too. A damaged
file costs a reason ("first run"), never a run.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

from nodegraph.errors import InputError
from nodegraph.execution.events import NodeFinished, Outcome
from nodegraph.execution.files import write_whole
from nodegraph.execution.keys import digest, encode
from nodegraph.execution.plan import Parts, Plan, may_be_stored

log = logging.getLogger(__name__)
FORMAT = 1
_IN_MEMORY = 32
_IN_FOLDER = 256
_LARGEST = 5_000  # nodes of a workflow that is written down
_WITH_RESULT: Set[Outcome] = frozenset({"ran", "memory", "disk", "shared", "saved"})
Runs = Mapping[str, Parts]


class EarlierRuns:
    """The key parts of every node, by workflow. Thread-safe. Without a folder they end with the process."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._runs: dict[str, Runs] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Runs:
        """The key parts of the last run by node id; empty if there was none."""
        with self._lock:
            if name not in self._runs and self._folder is not None:
                self._keep(name, _read(self._path(self._folder, name)))
            return self._runs.get(name, {})

    def put(self, plan: Plan, finished: Mapping[str, NodeFinished], *, write: bool = True) -> None:
        """Remember a plan that was carried out, with what became of its nodes.

        It is written down if another process may find results of it on disk, and if it is not too large.
        """
        name = plan.graph.document.name
        before = self.get(name)
        entries = plan.entries
        if len(finished) == len(entries) and {event.outcome for event in finished.values()} <= _WITH_RESULT:
            runs = {id_: entry.parts for id_, entry in entries.items()}
        else:
            made = {id_ for id_, event in finished.items() if event.outcome in _WITH_RESULT}
            runs = {id_: entry.parts for id_, entry in entries.items() if id_ in made}
            runs |= {id_: before[id_] for id_ in entries if id_ in before and id_ not in made}
        with self._lock:
            self._keep(name, runs)
        lasting = write and any(map(may_be_stored, plan.graph.types))
        if self._folder is not None and lasting and before != runs and len(runs) <= _LARGEST:
            self._write(self._folder, name, runs)

    def clear(self) -> None:
        """Forget all runs."""
        with self._lock:
            self._runs.clear()
        for path in self._folder.glob("*.json") if self._folder is not None else ():
            path.unlink(missing_ok=True)

    def _keep(self, name: str, runs: Runs) -> None:
        self._runs.pop(name, None)
        self._runs[name] = runs
        if len(self._runs) > _IN_MEMORY:
            self._runs.pop(next(iter(self._runs)))

    def _path(self, folder: Path, name: str) -> Path:
        return folder / f"{digest(name)}.json"

    def _write(self, folder: Path, name: str, runs: Runs) -> None:
        text = encode({"format": FORMAT, "nodes": runs})
        try:
            write_whole(self._path(folder, name), lambda path: _write_bytes(path, text))
        except InputError as error:
            log.warning("the last run cannot be remembered: %s", error)
            return
        with suppress(OSError):  # another process tidies up as well
            files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in files[:-_IN_FOLDER]:
                path.unlink(missing_ok=True)


def _write_bytes(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def _read(path: Path) -> Runs:
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not isinstance(found.get("nodes"), dict)
    ):
        return {}
    return {id_: parts for id_, parts in found["nodes"].items() if isinstance(parts, dict)}
