"""A real server process on the loopback address, and plain HTTP to speak to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAUGHTY = "tests.workers.naughty:PACK"


@dataclass
class Answered:
    """An HTTP answer: status, headers in lower case, and the body as JSON where it is some."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """One server process and its owner's token."""

    data_dir: Path
    workers: str = "cpu"
    options: tuple[str, ...] = ()
    prelude: str = ""
    process: subprocess.Popen[str] | None = None
    port: int = 0
    token: str = ""
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        main = ["-m", "nodegraph"]
        if self.prelude:
            main = ["-c", f"{self.prelude}\nfrom nodegraph.cli import main\nmain()"]
        command = [
            sys.executable, *main, "serve", "--port", str(self.port), "--workers", self.workers,
            "--data-dir", str(self.data_dir), "--pack", NAUGHTY, *self.options,
        ]  # fmt: skip
        log = (self.data_dir.parent / "server.log").open("a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r":(\d+)/\?token=(\S+)", line)
        assert found is not None, line or (self.data_dir.parent / "server.log").read_text()
        self.port, self.token = int(found[1]), found[2]

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        os.kill(self.process.pid, number)
        self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = "",
        raw: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 60,
    ) -> Answered:  # fmt: skip
        """Send a request: with the owner's token unless another, or None, is given."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.token}"
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 - as above
                return Answered(response.status, _lower(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answered(error.code, _lower(error.headers), error.read())

    def submit(
        self, type_: str, *, wait: float = 0, options: dict[str, Any] | None = None, **inputs: Any
    ) -> Any:
        """Submit a workflow of one node; the job as it is then."""
        nodes = {"n": {"type": type_, "inputs": inputs}}
        workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}}}
        answered = self.ask("POST", f"/api/v1/jobs?wait={wait}", {"workflow": workflow, **(options or {})})
        assert answered.status in (200, 201), answered.body
        return answered.data

    def job(self, id_: str, wait: float = 0) -> Any:
        return self.ask("GET", f"/api/v1/jobs/{id_}?wait={wait}").data

    def events(self, id_: str, after: int = 0) -> list[dict[str, Any]]:
        """All events of a job until it is over."""
        text = self.ask("GET", f"/api/v1/jobs/{id_}/events?after={after}").body.decode()
        return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers that are ended with the test."""
    made: list[Server] = []

    def make(**options: Any) -> Server:
        server = Server(tmp_path / "data", **options)
        server.start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a module that leave it well."""
    running = Server(tmp_path_factory.mktemp("server") / "data")
    running.start()
    yield running
    running.end()
