"""The order in which waiting jobs start: a pure policy, mirrored in memory from the database.

A higher priority goes first. Among equals users take turns: whoever was served longest ago is next. Among a
user's own jobs the place counts, which is that of submission unless somebody moved it.
"""

from __future__ import annotations

import heapq
from collections import deque

from nodegraph.jobs.records import Job

Rank = tuple[int, float, int]
"""Within a user's jobs: priority (negated), place, number."""


class Queue:
    """The waiting jobs. `next` tells which starts next; whoever starts it takes it out with `serve`."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._heads: dict[str, list[tuple[Rank, str]]] = {}  # user -> heap; what has changed since is stale
        self._served: dict[str, int] = {}  # user -> turn in which one of theirs was last taken
        self._turn = 0
        self._places: dict[str, int] | None = None  # as of the last change

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._jobs

    def add(self, job: Job) -> None:
        """A job waits now, or waits otherwise than before."""
        self._places = None
        self._jobs[job.id] = job
        if job.state == "queued":
            heapq.heappush(self._heads.setdefault(job.user, []), (_rank(job), job.id))

    def remove(self, id_: str) -> None:
        """A job waits no more."""
        self._places = None
        self._jobs.pop(id_, None)

    def get(self, id_: str) -> Job | None:
        """A waiting job, or None."""
        return self._jobs.get(id_)

    def next(self) -> Job | None:
        """The job that starts next; None if none may."""
        heads = [job for user in list(self._heads) if (job := self._head(user)) is not None]
        return min(heads, key=self._turn_of, default=None)

    def serve(self, job: Job) -> None:
        """The job starts: its user's next turn comes after those of the others."""
        self._jobs.pop(job.id, None)
        self._places = None
        self._turn += 1
        self._served[job.user] = self._turn

    def place(self, id_: str) -> int | None:
        """How many jobs would start before this one; None if it does not wait."""
        if id_ not in self._jobs:
            return None
        if self._places is None:  # many ask while little changes
            self._places = {job.id: place for place, job in enumerate(self.order())}
        return self._places[id_]

    def order(self) -> list[Job]:
        """All waiting jobs in the order in which they would start, those on hold at the end."""
        lanes: dict[str, deque[Job]] = {}
        for job in sorted(self._jobs.values(), key=_rank):
            if job.state == "queued":
                lanes.setdefault(job.user, deque()).append(job)
        served, turn, found = dict(self._served), self._turn, list[Job]()
        while lanes:
            job = min(
                (lane[0] for lane in lanes.values()),
                key=lambda head: (-head.priority, served.get(head.user, 0), head.position, head.number),
            )
            found.append(job)
            turn += 1
            served[job.user] = turn
            lanes[job.user].popleft()
            if not lanes[job.user]:
                del lanes[job.user]
        held = [job for job in self._jobs.values() if job.state == "held"]
        return [*found, *sorted(held, key=lambda job: job.number)]

    def position_for(self, id_: str, *, before: str | None = None, after: str | None = None) -> float | None:
        """The place that puts a job right before or after another of its user; at an end without either.

        None if one of them does not wait, or they belong to different users. `before=""` is the front.
        """
        job = self._jobs.get(id_)
        if job is None:
            return None
        others = sorted(one.position for one in self._jobs.values() if one.user == job.user and one.id != id_)
        if not others:
            return job.position
        if before == "":
            return others[0] - 1
        beside = self._jobs.get(before or after or "")
        if before is None and after is None:
            return others[-1] + 1
        if beside is None or beside.user != job.user or beside.id == id_:
            return None
        place = others.index(beside.position)
        low, high = (place - 1, place) if before is not None else (place, place + 1)
        if low < 0:
            return others[0] - 1
        return others[-1] + 1 if high == len(others) else (others[low] + others[high]) / 2

    def _head(self, user: str) -> Job | None:
        """The first of a user's jobs that may start; what is stale is dropped on the way."""
        heap = self._heads[user]
        while heap:
            rank, id_ = heap[0]
            job = self._jobs.get(id_)
            if job is not None and job.state == "queued" and _rank(job) == rank:
                return job
            heapq.heappop(heap)
        del self._heads[user]
        return None

    def _turn_of(self, job: Job) -> tuple[int, int, float, int]:
        return -job.priority, self._served.get(job.user, 0), job.position, job.number


def _rank(job: Job) -> Rank:
    return -job.priority, job.position, job.number
