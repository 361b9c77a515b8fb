"""`nodegraph submit`, `jobs` and `watch` against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import TEMPLATE, Cli, write
from tests.client.conftest import one
from tests.server.conftest import Server, server

__all__ = ["server"]


@pytest.fixture
def remote(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line of somebody who works with the module's server."""
    monkeypatch.setenv("NODEGRAPH_SERVER", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("NODEGRAPH_DATA", str(server.data_dir))
    return cli


def pixels(path: Path) -> bytes:
    import PIL.Image

    with PIL.Image.open(path) as picture:
        return picture.tobytes()


def test_a_submitted_prompt_gives_the_picture_that_a_run_gives(remote: Cli, tmp_path: Path) -> None:
    words = [TEMPLATE, "--prompt", "a red circle on a blue background", "--seed", 7, "--steps", 4]
    submitted = remote("submit", *words, "-o", "there.png")
    assert (submitted.code, submitted.out) == (0, f"{tmp_path / 'there.png'}\n"), submitted.err
    assert remote("run", *words, "-o", "here.png").code == 0
    assert pixels(tmp_path / "there.png") == pixels(tmp_path / "here.png")
    assert remote("submit", "there.png", "--steps", 4, "-o", "again.png").code == 0  # it holds its workflow
    assert pixels(tmp_path / "again.png") == pixels(tmp_path / "here.png")
    job = json.loads(remote("jobs", "list", "-n", 1, "--json").out)[0]
    assert job["artifacts"] == []  # it ran for what was wanted alone


def test_a_batch_gets_numbers(remote: Cli, tmp_path: Path) -> None:
    words = [TEMPLATE, "--seed", 7, "--steps", 1, "--input", "batch=2"]
    done = remote("submit", *words, "-o", "many.png", "--json")
    assert done.code == 0, done.err
    files = json.loads(done.out)["outputs"]["image"]["files"]
    assert len(files) == 2
    assert len({pixels(tmp_path / f"many_{number}.png") for number in (1, 2)}) == 2


def test_submit_prints_the_id_that_the_other_commands_take(remote: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "fine.json", one("naughty.fine", number=1))
    submitted = remote("submit", file, "--title", "mine", "--priority", 3)
    assert submitted.code == 0, submitted.err
    id_ = submitted.out.strip()
    watched = remote("watch", id_)
    assert (watched.code, watched.out) == (0, "o: 2\n")
    assert [line.split(": ")[1] for line in watched.err.splitlines()][-1] == "done"
    job = json.loads(remote("jobs", "show", id_, "--json").out)
    assert (job["title"], job["priority"], job["state"]) == ("mine", 3, "done")
    shown = remote("jobs", "show", job["number"]).out
    assert id_ in shown
    assert "o: 2" in shown
    assert "mine" in remote("jobs").out
    again = remote("jobs", "retry", job["number"]).out.strip()
    assert again != id_
    assert remote("watch", again).code == 0


@pytest.mark.parametrize("flag", ["--wait", "--watch"])
def test_the_end_is_waited_for(remote: Cli, tmp_path: Path, flag: str) -> None:
    document = {**one("naughty.fine", number=1), "inputs": {"number": {"to": ["n.number"]}}}
    file = write(tmp_path / "fine.json", document)
    assert remote("submit", file, flag, "--number", 41).out == "o: 42\n"
    told = json.loads(remote("submit", file, flag, "--input", "number=2", "--json").out)
    assert (told["state"], told["outputs"]["o"]["value"]) == ("done", 3)
    assert remote("submit", "--number=1", file, "-o", "number.json").code == 0
    assert (tmp_path / "number.json").read_text() == "2\n"


def test_a_failed_job_says_why_and_is_exit_code_1(remote: Cli, tmp_path: Path) -> None:
    failed = remote("submit", write(tmp_path / "bad.json", one("naughty.raise")), "--wait", "--json")
    assert failed.code == 1
    assert json.loads(failed.out)["state"] == "failed"
    assert failed.err.startswith("error: node 'n'")


def test_what_cannot_be_run_is_exit_code_2(remote: Cli, tmp_path: Path) -> None:
    assert remote("submit", write(tmp_path / "fine.json", one("naughty.fine")), "--wait").code == 0
    refused = remote("submit", write(tmp_path / "bad.json", one("naughty.fien")))
    assert refused.code == 2
    assert "naughty.fine" in refused.err
    for words in (
        [TEMPLATE, "--promt", "x"], [TEMPLATE, "--priority", 101], [TEMPLATE, "-o", "a.jpg"],
        [TEMPLATE, "-o", "nowhere/a.png"], [TEMPLATE, "-o", "a.png", "--name", "sound"], [TEMPLATE, "--seed"],
        ["template:nothing"], ["nothing.json"], [TEMPLATE, "--server", "nothing"],
        [TEMPLATE, "--token", "wrong"],
    ):  # fmt: skip
        done = remote("submit", *words)
        assert (done.code, done.out) == (2, ""), words
        assert done.err.strip(), words


def test_a_picture_is_no_text(remote: Cli) -> None:
    done = remote("submit", TEMPLATE, "--steps", 1, "-o", "picture.json")
    assert done.code == 2
    assert "expected .png" in done.err


def test_a_cancelled_job_is_exit_code_130(remote: Cli, tmp_path: Path) -> None:
    id_ = remote("submit", write(tmp_path / "slow.json", one("naughty.sleep"))).out.strip()
    waiting = remote("submit", write(tmp_path / "fine.json", one("naughty.fine"))).out.strip()
    cancelled = remote("jobs", "cancel", waiting, id_)
    assert cancelled.code == 0
    assert cancelled.out.splitlines()[0].endswith(": cancelled")
    watched = remote("watch", id_)
    assert (watched.code, watched.err.splitlines()[-1]) == (130, "cancelled")


def test_a_paused_queue_starts_nothing_until_it_goes_on(remote: Cli, tmp_path: Path) -> None:
    assert "paused" in remote("jobs", "pause").out
    try:
        id_ = remote("submit", write(tmp_path / "fine.json", one("naughty.fine", number=5))).out.strip()
        shown = json.loads(remote("jobs", "show", id_, "--json").out)
        assert (shown["state"], shown["place"]) == ("queued", 0)
    finally:
        assert "open" in remote("jobs", "resume").out
    assert remote("watch", id_).out == "o: 6\n"
    alone = remote("watch")
    assert (alone.code, "nodegraph jobs" in alone.err) == (2, True)
    assert remote("jobs", "show", 99999).code == 2


def test_ctrl_c_leaves_the_job_running_and_says_so(remote: Cli, server: Server) -> None:
    id_ = server.submit("naughty.sleep", seconds=60)["id"]
    command = [sys.executable, "-m", "nodegraph", "watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stderr is not None
        assert "queued" in watching.stderr.readline()
        os.kill(watching.pid, signal.SIGINT)
        rest = watching.stderr.read()
    number = server.job(id_)["number"]
    assert watching.returncode == 130
    assert f"job {number} goes on" in rest
    assert f"nodegraph jobs cancel {number}" in rest
    assert server.job(id_)["state"] in ("queued", "running")
    assert remote("jobs", "cancel", number).code == 0
    assert server.job(id_, wait=30)["state"] == "cancelled"


def test_where_no_server_runs_it_is_said_how_to_start_one(cli: Cli, tmp_path: Path) -> None:
    done = cli("jobs", "list")
    assert done.code == 2
    assert "nodegraph serve" in done.err
    done = cli("jobs", "--server", "http://127.0.0.1:1", "--token", "t")
    assert done.code == 1
    assert "nodegraph serve" in done.err


def test_the_local_token_goes_to_this_machine_alone(cli: Cli, server: Server) -> None:
    done = cli("jobs", "--server", "http://example.invalid", "--data-dir", server.data_dir)
    assert done.code == 2
    assert "there is no token for http://example.invalid" in done.err


def test_a_template_of_the_servers_own_packs_is_left_to_the_server(remote: Cli) -> None:
    refused = remote("submit", "template:theirs", "--number", "4", "--more-text", "red")
    assert refused.code == 2
    assert "there is no template 'theirs'" in refused.err
    assert remote("submit", "template:theirs", "--number").code == 2


def test_help_tells_every_option(cli: Cli) -> None:
    expected: dict[str, Any] = {
        "submit": ["--wait", "--watch", "--priority", "--title", "--output", "--json", "--input"],
        "watch": ["--output", "--json", "Ctrl-C"],
        "jobs": ["list", "show", "cancel", "retry", "pause", "resume"],
    }
    for command, words in expected.items():
        told = cli(command, "--help").out
        for word in [*words, *(["--server", "--token", "--data-dir"] if command != "jobs" else [])]:
            assert word in told, (command, word)
