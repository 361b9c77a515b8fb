"""Which idle worker gets a job: the one that has run most of the same before.

A worker keeps the weights and results of what it ran lately. What a job has in common with that is told by
the files and texts that it names: files first, since their weights are large. Where no worker has its files,
the one that has run least is taken, so that different models settle on different workers.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

from nodegraph.jobs.records import Job
from nodegraph.workers.pool import Worker

REMEMBERED = 256
"""Literals of one worker."""
_FILES = (".safetensors", ".ckpt", ".pt", ".gguf", ".json")


class Placement:
    """What every worker has run lately."""

    def __init__(self) -> None:
        self._ran: dict[str, OrderedDict[str, None]] = {}
        self._lives: dict[str, int] = {}

    def choose(self, job: Job, idle: Sequence[Worker]) -> Worker:
        """The best of the idle workers."""
        if len(idle) == 1:
            return idle[0]
        named = _named_by(job)
        return max(idle, key=lambda worker: self._worth(worker, named))

    def note(self, job: Job, worker: Worker) -> None:
        """The worker runs the job."""
        ran = self._of(worker)
        for name in _named_by(job):
            ran[name] = None
            ran.move_to_end(name)
        while len(ran) > REMEMBERED:
            ran.popitem(last=False)

    def _worth(self, worker: Worker, named: Collection[str]) -> tuple[int, int, int]:
        """Files in common; then other literals, unless it has none of the files; then how little it ran."""
        ran = self._of(worker)
        files = {name for name in named if name.endswith(_FILES)}
        common = len(files & ran.keys())
        texts = sum(name in ran for name in named if name not in files) if common or not files else 0
        return common, texts, -len(ran)

    def _of(self, worker: Worker) -> OrderedDict[str, None]:
        """What this process of the worker ran: a new one has nothing."""
        if self._lives.get(worker.id) != worker.restarts:
            self._lives[worker.id] = worker.restarts
            self._ran[worker.id] = OrderedDict()
        return self._ran[worker.id]


def _named_by(job: Job) -> set[str]:
    """The files and texts in a job's document and inputs."""
    found: set[str] = set()
    stack: list[Any] = [json.loads(job.document), json.loads(job.inputs)]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found
