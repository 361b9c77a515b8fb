"""Jobs over HTTP, against a real server with a real worker."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.server.conftest import Server


def test_a_job_is_run_and_its_result_told(server: Server) -> None:
    job = server.submit("naughty.fine", wait=60, options={"title": "one"}, number=4)
    assert (job["state"], job["title"], job["attempts"]) == ("done", "one", 1)
    assert job["outputs"] == {"o": {"kind": "json", "files": [], "value": 5}}
    assert job["nodes"]["n"]["outcome"] == "ran"
    again = server.submit("naughty.fine", wait=60, number=4)
    assert again["nodes"]["n"]["outcome"] == "memory"  # the worker keeps its cache between jobs
    assert [one["id"] for one in server.ask("GET", "/api/v1/jobs").data["jobs"]][:2] == [
        again["id"],
        job["id"],
    ]


def test_events_are_kept_and_resumed(server: Server) -> None:
    job = server.submit("naughty.fine", number=77)
    events = server.events(job["id"])
    kinds = [event["kind"] for event in events]
    assert kinds == ["state", "state", "planned", "node_started", "node_finished", "state"]
    assert events[-1]["state"] == "done"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert server.events(job["id"], after=2) == events[2:]


def test_a_prompt_becomes_a_picture(server: Server) -> None:
    body = {
        "workflow": "template:text-to-image",
        "inputs": {"prompt": "a red circle on a blue background", "seed": 7},
    }
    job = server.ask("POST", "/api/v1/jobs?wait=120", body, timeout=150).data
    assert job["state"] == "done", job["problems"]
    ((name, output),) = job["outputs"].items()
    (file,) = output["files"]
    picture = server.ask("GET", file["url"])
    assert (name, picture.status, picture.headers["content-type"]) == ("image", 200, "image/png")
    assert picture.body.startswith(b"\x89PNG")
    assert len(picture.body) == file["size"]
    assert server.ask("GET", "/api/v1/memory").data["cpu-0"]["weights"]


def test_what_cannot_be_run_is_refused_with_its_problems(server: Server) -> None:
    server.submit("naughty.fine", wait=60)  # a worker is ready
    workflow = {"nodegraph": 1, "nodes": {"n": {"type": "naughty.fien"}}, "outputs": {"o": {"from": "n"}}}
    refused = server.ask("POST", "/api/v1/jobs", {"workflow": workflow})
    assert refused.status == 422
    assert refused.headers["content-type"].startswith("application/problem+json")
    (found,) = refused.data["problems"]
    assert (found["code"], found["node"]) == ("unknown_type", "n")
    assert "naughty.fine" in found["remedy"]


def test_a_key_makes_one_job(server: Server) -> None:
    options = {"idempotency_key": "once"}
    first, second = (server.submit("naughty.fine", options=options) for _ in range(2))
    assert first["id"] == second["id"]
    nodes = {"n": {"type": "naughty.fine", "inputs": {"number": 9}}}
    body = {"workflow": {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}}}, **options}
    assert server.ask("POST", "/api/v1/jobs", body).status == 409


def test_running_and_waiting_jobs_are_cancelled(server: Server) -> None:
    running = server.submit("naughty.sleep")
    waiting = server.submit("naughty.fine", options={"priority": -1})
    held = server.submit("naughty.fine", options={"hold": True})
    while server.job(running["id"])["state"] != "running":
        pass
    assert server.ask("GET", "/api/v1/queue").data["waiting"] == [waiting["id"], held["id"]]
    assert server.ask("POST", f"/api/v1/jobs/{waiting['id']}/cancel").data["state"] == "cancelled"
    server.ask("POST", f"/api/v1/jobs/{running['id']}/cancel")
    assert server.job(running["id"], wait=30)["state"] == "cancelled"
    assert server.ask("PATCH", f"/api/v1/jobs/{held['id']}", {"hold": False}).status == 200
    assert server.job(held["id"], wait=30)["state"] == "done"
    assert server.ask("POST", f"/api/v1/jobs/{held['id']}/cancel").data["state"] == "done"
    again = server.ask("POST", f"/api/v1/jobs/{waiting['id']}/retry").data
    assert server.job(again["id"], wait=30)["state"] == "done"


@pytest.mark.parametrize("type_", ["naughty.crash", "naughty.leave"])
def test_a_job_that_kills_its_workers_is_quarantined_and_the_next_runs(server: Server, type_: str) -> None:
    poison = server.submit(type_)
    fine = server.submit("naughty.fine", wait=60, number=3)
    assert fine["state"] == "done"
    ended = server.job(poison["id"], wait=60)
    assert (ended["state"], ended["attempts"]) == ("quarantined", 3)
    assert "the worker that ran the job died" in ended["problems"][0]["message"]
    reasons = [event["reason"] for event in server.events(poison["id"]) if event["kind"] == "state"]
    assert sum(bool(reason) for reason in reasons) == 3


def test_a_paused_queue_starts_nothing(server: Server) -> None:
    assert server.ask("PATCH", "/api/v1/queue", {"paused": True}).data["paused"]
    job = server.submit("naughty.fine", wait=0.3, number=100)
    assert job["state"] == "queued"
    server.ask("PATCH", "/api/v1/queue", {"paused": False})
    assert server.job(job["id"], wait=30)["state"] == "done"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_accepted_jobs_outlive_the_server(make_server: Callable[..., Server], number: signal.Signals) -> None:
    server = make_server()
    server.submit("naughty.fine", wait=60)
    slow = server.submit("naughty.sleep", seconds=1.0 if number == signal.SIGTERM else 2.0)
    rest = [server.submit("naughty.fine", number=each) for each in range(5)]
    server.end(number)
    server.start()
    for job in (slow, *rest):
        ended = server.job(job["id"], wait=60)
        assert ended["state"] == "done"
    finals = [
        event for event in server.events(slow["id"]) if event["kind"] == "state" and event["state"] == "done"
    ]
    assert len(finals) == 1
