"""Faults around the server: a disk that is full, and a clock that goes backwards."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.conftest import Server

BACKWARDS = """
import time
_real, _calls = time.time, 0
def _earlier():
    global _calls
    _calls += 1
    return _real() - 60.0 * _calls
time.time = _earlier
"""


@contextlib.contextmanager
def full(server: Server, mounted: Path | None) -> Iterator[None]:
    """While this lasts, the server cannot write: its small disk is full, or its files may not grow."""
    if mounted is not None:
        filler = mounted / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(2**12))
        yield
        filler.unlink()
        return
    assert server.process is not None
    kind, unlimited = resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.process.pid, kind, (4096, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.process.pid, kind, unlimited)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 32 MiB; None where nothing can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    words = [mount or "mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    if not mount or not umount or subprocess.run(words, capture_output=True, check=False).returncode:
        yield None
        return
    yield place
    subprocess.run([umount, str(place)], check=True)


@pytest.mark.parametrize("way", ["a small disk", "a limit on files"])
def test_a_full_disk_refuses_jobs_and_loses_none(small_disk: Path | None, tmp_path: Path, way: str) -> None:
    small_disk = small_disk if way == "a small disk" else None
    server = Server((small_disk or tmp_path) / "data")
    server.start()
    try:
        before = [server.submit("naughty.fine", wait=60, number=number)["id"] for number in range(3)]
        refused, body = 0, {"workflow": {"nodegraph": 1, "name": "x" * 20_000, "nodes": {}}}
        body["workflow"] |= {"nodes": {"n": {"type": "naughty.fine"}}, "outputs": {"o": {"from": "n"}}}
        accepted = []
        with full(server, small_disk):
            for _ in range(20):
                answered = server.ask("POST", "/api/v1/jobs", body)
                if answered.status == 201:
                    accepted.append(answered.data["id"])
                else:
                    assert (answered.status, answered.data["code"]) == (503, "database_full"), answered.body
                    assert "Free disk space" in answered.data["remedy"]
                    refused += 1
            assert refused
            assert server.ask("GET", "/health").status == 200
        after = server.submit("naughty.fine", wait=60, number=9)
        assert after["state"] == "done"
        for id_ in (*before, *accepted):
            assert server.job(id_, wait=60)["state"] == "done"
    finally:
        server.end()


def test_a_clock_that_goes_backwards_changes_no_order(make_server: Callable[..., Server]) -> None:
    server = make_server(prelude=BACKWARDS)
    server.ask("PATCH", "/api/v1/queue", {"paused": True})
    jobs = [server.submit("naughty.fine", number=number)["id"] for number in range(10)]
    assert server.ask("GET", "/api/v1/queue").data["waiting"] == jobs
    server.ask("PATCH", "/api/v1/queue", {"paused": False})
    ended = [server.job(id_, wait=60) for id_ in jobs]
    assert [job["outputs"]["o"]["value"] for job in ended] == list(range(1, 11))
    assert [job["id"] for job in reversed(server.ask("GET", "/api/v1/jobs").data["jobs"])] == jobs
    events = server.events(jobs[0])
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert server.events(jobs[0], after=2) == events[2:]
    started = [job["started"] for job in ended]
    assert started == sorted(started, reverse=True)  # the clock did go backwards
    time.sleep(0.1)
    assert server.ask("GET", "/api/v1/system").data["jobs"] == {"done": 10}


def test_a_device_that_computes_no_more_costs_one_job(make_server: Callable[..., Server]) -> None:
    server = make_server()
    failed = server.submit("naughty.poison", wait=60)
    assert failed["state"] == "failed"
    assert "illegal memory access" in failed["problems"][0]["message"]
    assert server.submit("naughty.fine", wait=60, number=1)["state"] == "done"
    assert server.ask("GET", "/api/v1/system").data["workers"][0]["restarts"] == 1
