"""Pictures that nodes show outlive their job; looks at values are no work of their own."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from nodegraph.server.shown import MOST, Shown
from tests.server.conftest import Server

NODES = {
    "picture": {"type": "image.load", "inputs": {"file": "example.png"}},
    "before": {"type": "image.preview", "inputs": {"image": {"from": "picture.image"}}},
    "negative": {"type": "image.invert", "inputs": {"image": {"from": "picture.image"}}},
    "after": {"type": "image.preview", "inputs": {"image": {"from": "negative"}}},
}
SHOWING = {"nodegraph": 1, "nodes": NODES}


def submit(server: Server, workflow: object = SHOWING, **options: object) -> str:
    answered = server.ask("POST", "/api/v1/jobs?wait=60", {"workflow": workflow, **options})
    assert answered.data["state"] in ("done", "failed"), answered.body
    return str(answered.data["id"])


def test_what_nodes_showed_is_kept_with_the_job(make_server: Callable[..., Server]) -> None:
    server = make_server()
    id_ = submit(server)
    server.end()
    server.start()  # the pictures survive the process
    shown = server.job(id_)["shown"]
    assert set(shown) == {"before", "after"}
    pictures = {node: server.ask("GET", file["url"]) for node, file in shown.items()}
    for node, picture in pictures.items():
        assert picture.headers["content-type"] == "image/jpeg"
        assert len(picture.body) == shown[node]["size"]
    assert pictures["before"].body != pictures["after"].body
    events = server.events(id_)
    replayed = {event["node"]: event for event in events if event["kind"] == "preview"}
    for node, picture in pictures.items():
        assert replayed[node]["final"]
        assert base64.b64decode(replayed[node]["image"].split(",")[1]) == picture.body
        order = [(event["kind"], event.get("node")) for event in events]
        assert order.index(("preview", node)) < order.index(("node_finished", node))
    server.ask("DELETE", f"/api/v1/jobs/{id_}")
    assert server.ask("GET", shown["before"]["url"]).status == 404


def test_a_job_that_fails_keeps_what_it_showed(server: Server) -> None:
    nodes = {**NODES, "bad": {"type": "naughty.raise"}}
    workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "bad"}}}
    job = server.job(submit(server, workflow))
    assert job["state"] == "failed"
    assert set(job["shown"]) == {"before", "after"}


def test_what_a_job_showed_whose_worker_died_is_forgotten(make_server: Callable[..., Server]) -> None:
    server = make_server()
    look = {"type": "value.inspect", "inputs": {"value": {"from": "negative"}}}
    nodes = {**NODES, "look": look, "bad": {"type": "naughty.leave", "inputs": {"after": {"from": "look"}}}}
    workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "bad"}}}
    answered = server.ask("POST", "/api/v1/jobs?wait=60", {"workflow": workflow})
    job = server.job(answered.data["id"], wait=60)
    assert (job["state"], job["shown"]) == ("quarantined", {})
    finished = [event["node"] for event in server.events(job["id"]) if event["kind"] == "node_finished"]
    assert "look" in finished  # it was shown before the worker died
    assert not list((server.data_dir / "files").glob("??/*.jpg"))


def test_unfinished_pictures_are_not_kept(server: Server) -> None:
    options = {"inputs": {"steps": 2}, "previews": True}
    assert server.job(submit(server, "template:text-to-image", **options))["shown"] == {}


def test_others_see_no_picture_that_a_node_showed(make_server: Callable[..., Server]) -> None:
    server = make_server()
    token = add_user(server)
    (file, _) = server.job(submit(server))["shown"].values()
    assert server.ask("GET", file["url"], token=token).status == 404
    assert server.ask("GET", file["url"]).status == 200


def add_user(server: Server) -> str:
    import subprocess
    import sys

    line = [sys.executable, "-m", "nodegraph", "users", "add", "frida", "--data-dir", str(server.data_dir)]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_the_pictures_of_a_job_are_bounded(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    for number in range(MOST + 5):
        shown.heard("job", f"each/{number}/show", b"a")
    shown.heard("job", "each/0/show", b"b")  # the last picture of a node counts
    assert shown.of("job", "each/0/show") == b"b"
    assert shown.of("job", f"each/{MOST}/show") is None
    assert asyncio.run(shown.keep("job")) is not None
    assert len(list(tmp_path.glob("??/*.jpg"))) == 2  # content-addressed: two pictures
    shown.forget("job")
    assert asyncio.run(shown.keep("job")) is None


def test_a_look_is_left_out_of_lists_and_soon_forgotten(make_server: Callable[..., Server]) -> None:
    server = make_server()
    nodes = {**NODES, "look": {"type": "value.inspect", "inputs": {"value": {"from": "negative"}}}}
    workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"words": {"from": "look"}}}
    work = submit(server)
    look = submit(server, workflow, targets=["words"], hidden=True, priority=100)
    job = server.job(look)
    assert job["hidden"]
    assert "1 picture" in job["outputs"]["words"]["value"]
    assert set(job["shown"]) == {"look"}
    assert job["nodes"]["negative"]["outcome"] == "memory"  # nothing but the look itself has run
    listed = [one["id"] for one in server.ask("GET", "/api/v1/jobs").data["jobs"]]
    assert listed == [work]
    everything = [one["id"] for one in server.ask("GET", "/api/v1/jobs?hidden=true").data["jobs"]]
    assert everything == [look, work]
    server.end()
    with sqlite3.connect(server.data_dir / "jobs.sqlite") as connection:
        connection.execute("UPDATE jobs SET finished = ?", (time.time() - 7200,))
    connection.close()
    server.start()  # and tidies
    while server.ask("GET", f"/api/v1/jobs/{look}").status == 200:
        time.sleep(0.05)
    assert server.job(work)["state"] == "done"
