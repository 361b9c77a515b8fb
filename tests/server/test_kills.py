"""`kill -9` of the server at random moments under load: every accepted job ends exactly once."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import pytest

from nodegraph.jobs.records import FINAL
from tests.server.conftest import Server

CLIENTS = 4


class Clients:
    """Threads that submit jobs with keys of their own, again and again until each is accepted."""

    def __init__(self, server: Server) -> None:
        self.accepted: dict[str, int] = {}  # job -> the number that it was given
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, client: int) -> None:
        number = client
        while not self._over.is_set():
            job = self._accepted(number)
            assert job not in self.accepted
            self.accepted[job] = number
            number += CLIENTS
            time.sleep(0.05)

    def _accepted(self, number: int) -> str:
        nodes = {"n": {"type": "naughty.fine", "inputs": {"number": number}}}
        workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}}}
        body = {"workflow": workflow, "idempotency_key": uuid.uuid4().hex}
        while True:
            try:
                answered = self._server.ask("POST", "/api/v1/jobs", body, timeout=10)
            except (OSError, HTTPException):  # it was killed, perhaps after it had accepted
                time.sleep(0.05)
                continue
            assert answered.status in (200, 201), answered.body
            return str(answered.data["id"])


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.full)])
def test_no_accepted_job_is_lost_or_done_twice(make_server: Callable[..., Server], kills: int) -> None:
    server = make_server(options=("--keep-jobs", "1000000"))
    moments = random.Random(kills)  # noqa: S311 - no secret
    clients = Clients(server)
    clients.start()
    for _ in range(kills):
        time.sleep(moments.uniform(0.05, 4.0))
        server.end(signal.SIGKILL)
        time.sleep(moments.uniform(0.0, 0.2))
        server.start()
    clients.stop()
    jobs = ended_jobs(server, len(clients.accepted))
    assert sorted(jobs) == sorted(clients.accepted)
    for id_, number in clients.accepted.items():
        job = jobs[id_]
        assert (job["state"], job["outputs"]["o"]["value"]) == ("done", number + 1), job
    some = moments.sample(sorted(jobs), k=min(50, len(jobs)))
    assert all(final_states(server, id_) <= 1 for id_ in some)


def ended_jobs(server: Server, count: int) -> dict[str, Any]:
    """All jobs, once they are over."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        counts = server.ask("GET", "/api/v1/system").data["jobs"]
        if sum(counts.get(state, 0) for state in FINAL) >= count:
            break
        time.sleep(0.2)
    found: dict[str, Any] = {}
    before = ""
    while True:
        page = server.ask("GET", f"/api/v1/jobs?limit=1000{before}").data
        for job in page["jobs"]:
            assert job["id"] not in found
            found[job["id"]] = job
        if page["before"] is None:
            return found
        before = f"&before={page['before']}"


def final_states(server: Server, job: str) -> int:
    """How many kept events say that the job is over: at most one (a kill may come before it is kept)."""
    text = server.ask("GET", f"/api/v1/jobs/{job}/events").body.decode()
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    numbers = [event["seq"] for event in events]
    assert numbers == sorted(set(numbers))
    return sum(event["kind"] == "state" and event["state"] in FINAL for event in events)
