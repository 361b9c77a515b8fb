"""Looking after a server: metrics, logs, retention, users, database copies, the doctor, an end in order."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph.jobs.database import Database
from nodegraph.jobs.records import NewJob
from nodegraph.jobs.store import JobStore
from nodegraph.server.retention import Keep, tidy
from tests.server.conftest import Server


def command(*words: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "nodegraph", *words, "--data-dir", str(data_dir)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


def test_the_metrics_count_what_happened(server: Server) -> None:
    server.submit("naughty.fine", wait=60, number=3)
    text = server.ask("GET", "/api/v1/metrics").body.decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures["nodegraph_jobs_submitted_total"]) >= 1
    assert float(figures['nodegraph_jobs_ended_total{state="done"}']) >= 1
    route = 'nodegraph_http_requests_total{method="POST",route="/api/v1/jobs",status="201"}'
    assert float(figures[route]) >= 1


def test_users_come_and_go_on_the_command_line(server: Server) -> None:
    made = command("users", "add", "frida", data_dir=server.data_dir)
    token = made.stdout.strip()
    assert server.ask("GET", "/api/v1/system", token=token).data["user"] == "frida"
    assert "frida" in command("users", "list", data_dir=server.data_dir).stdout
    renewed = command("users", "renew", "frida", data_dir=server.data_dir).stdout.strip()
    assert server.ask("GET", "/api/v1/system", token=token).status == 401
    assert server.ask("GET", "/api/v1/system", token=renewed).status == 200
    command("users", "remove", "frida", data_dir=server.data_dir)
    assert server.ask("GET", "/api/v1/system", token=renewed).status == 401
    assert command("users", "add", "../x", data_dir=server.data_dir).returncode == 2


def until_refused(server: Server) -> None:
    """Submit until the server has found the damage."""
    workflow = {"nodegraph": 1, "nodes": {"n": {"type": "naughty.fine"}}, "outputs": {"o": {"from": "n"}}}
    for _ in range(200):
        answered = server.ask("POST", "/api/v1/jobs", {"workflow": workflow})
        if answered.status == 503 and answered.data["code"] == "database_damaged":
            assert "nodegraph db restore" in answered.data["remedy"]
            return
        time.sleep(0.05)
    raise AssertionError("the damage was not found")


def refuses_at_once_or_soon(server: Server) -> None:
    """A damaged page is found when the server starts, or when it has read all of them in the background."""
    try:
        server.start()
    except AssertionError as error:  # what it said instead of its address
        assert "nodegraph db restore" in str(error)  # noqa: PT017 - it may start as well
    else:
        until_refused(server)
    server.end()


def spoil(file: Path) -> None:
    """Overwrite a part of every page but the first."""
    with file.open("r+b") as opened:
        for place in range(8192, file.stat().st_size, 4096):
            opened.seek(place + 8)
            opened.write(os.urandom(512))


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGTERM, ""), (signal.SIGKILL, "-wal")])
def test_a_copy_made_while_the_server_runs_brings_back_what_was_damaged(
    make_server: Callable[..., Server], tmp_path: Path, number: signal.Signals, ending: str
) -> None:
    """Pages of the database after an end in order, and of its journal after a crash."""
    server = make_server()
    job = server.submit("naughty.fine", wait=60, number=1)
    copy = tmp_path / "copy.sqlite"
    assert command("db", "backup", str(copy), data_dir=server.data_dir).returncode == 0
    server.end(number)
    spoil(server.data_dir / f"jobs.sqlite{ending}")
    found = command("db", "check", data_dir=server.data_dir)
    assert found.returncode == 1
    assert "nodegraph db restore" in found.stderr
    if ending:
        refused = command("serve", "--port", "0", data_dir=server.data_dir)
        assert refused.returncode == 1
        assert "nodegraph db restore" in refused.stderr
    else:
        refuses_at_once_or_soon(server)
    assert command("db", "restore", str(copy), data_dir=server.data_dir).returncode == 0
    server.start()
    assert server.job(job["id"])["state"] == "done"
    assert any(path.name.endswith(f".kept{ending}") for path in server.data_dir.iterdir())


def test_the_doctor_says_what_to_mend(tmp_path: Path) -> None:
    fine = command("doctor", data_dir=tmp_path / "new")
    assert fine.returncode == 0, fine.stdout + fine.stderr
    assert "torch" in fine.stdout
    assert "builtin" in fine.stdout
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "jobs.sqlite").write_bytes(b"no database" * 1000)
    bad = command("doctor", data_dir=tmp_path / "bad")
    assert bad.returncode == 1
    assert "nodegraph db restore" in bad.stdout


def test_old_jobs_and_pictures_that_nobody_names_are_forgotten(tmp_path: Path) -> None:
    files = tmp_path / "files" / "aa"
    files.mkdir(parents=True)
    for name in ("kept.png", "lost.png", "young.png"):
        (files / name).touch()
    for name in ("kept.png", "lost.png"):
        os.utime(files / name, (0, 0))

    async def work() -> tuple[int, int, int]:
        database = Database(tmp_path / "jobs.sqlite")
        database.open()
        store = JobStore(database)
        made = await store.submit([NewJob(user="u", document=b"{}") for _ in range(5)])
        result = json.dumps({"outputs": {"o": {"files": [{"name": "kept.png"}]}}}).encode()
        for job, _ in made[:4]:
            await store.start(job.id, "w")
            await store.finish(job.id, "done", result=result)
        jobs, removed = await tidy(store, tmp_path / "files", Keep(jobs=2))
        left = len(await store.jobs())
        database.close()
        return jobs, removed, left

    assert asyncio.run(work()) == (2, 1, 3)  # the one that waits stays
    assert {path.name for path in files.iterdir()} == {"kept.png", "young.png"}


def test_a_log_for_programs_names_job_and_user_and_no_token(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(options=("--log-format", "json"))
    job = server.submit("naughty.fine", wait=60, number=1)
    server.end()
    text = (server.data_dir.parent / "server.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    (ended,) = [line for line in lines if line.get("job") == job["id"] and line["message"] == "done"]
    assert (ended["user"], ended["level"]) == ("owner", "info")
    assert server.token not in text


@pytest.mark.parametrize("follows", [False, True])
def test_an_end_in_order_lets_a_short_job_finish(make_server: Callable[..., Server], follows: bool) -> None:
    server = make_server()
    job = server.submit("naughty.sleep", seconds=2.0)
    while server.job(job["id"])["state"] != "running":
        time.sleep(0.05)
    if follows:  # a stream of events must not hold up the end
        url = f"http://127.0.0.1:{server.port}/api/v1/jobs/{job['id']}/events"
        words = [shutil.which("curl") or "curl", "-sN", url, "-H", f"Authorization: Bearer {server.token}"]
        following = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert following.stdout is not None
        assert following.stdout.readline()
    server.end(signal.SIGTERM)
    if follows:
        assert following.wait(timeout=10) in (0, 18, 56)
        assert following.stdout is not None
        following.stdout.close()
    with sqlite3.connect(server.data_dir / "jobs.sqlite") as connection:
        (state,) = connection.execute("SELECT state FROM jobs WHERE id = ?", (job["id"],)).fetchone()
    assert state == "done"


def test_an_offline_server_takes_no_webhooks(make_server: Callable[..., Server]) -> None:
    server = make_server(options=("--offline",))
    workflow = {"nodegraph": 1, "nodes": {"n": {"type": "naughty.fine"}}, "outputs": {"o": {"from": "n"}}}
    hook = {"url": "https://example.org/", "secret": "s" * 16}
    refused = server.ask("POST", "/api/v1/jobs", {"workflow": workflow, "webhook": hook})
    assert (refused.status, refused.data["code"]) == (422, "offline")
    assert server.ask("GET", "/api/v1/system").data["offline"] is True
