"""What the durable server costs: 50 clients with 20 trivial jobs each, against a real process on 127.0.0.1.

Every submit returns when its job is on the disk. Beside the figures stands how often this machine can commit
one small row to a file in the same folder, one after another: what durability alone would allow.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import psutil

CLIENTS, JOBS = 50, 20
BODY = {
    "workflow": {
        "nodegraph": 1, "nodes": {"n": {"type": "value.integer", "inputs": {"value": 1}}},
        "inputs": {"a": {"to": ["n.value"]}}, "outputs": {"o": {"from": "n"}},
    }
}  # fmt: skip


class Running:
    """One server process."""

    def __init__(self, folder: Path, workers: str) -> None:
        command = [
            sys.executable, "-m", "nodegraph", "serve", "--port", "0", "--workers", workers,
            "--data-dir", str(folder), "--log-level", "error",
        ]  # fmt: skip
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline() if self.process.stdout is not None else ""
        found = re.search(r":(\d+)/\?token=(\S+)", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line}")
        self.url = f"http://127.0.0.1:{found[1]}"
        self.headers = {"Authorization": f"Bearer {found[2]}"}
        self.answering = time.perf_counter() - begun

    def end(self) -> None:
        """End it in order."""
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def commit_rate(folder: Path) -> float:
    """Commits of one small row a second, with the settings of the job database."""
    connection = sqlite3.connect(folder / "rate.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (x)")
    begun, count = time.perf_counter(), 300
    for number in range(count):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
    rate = count / (time.perf_counter() - begun)
    connection.close()
    return rate


async def flood(server: Running) -> tuple[float, float, list[float], list[float]]:
    """All clients at once: seconds until all is accepted, until all is done; submit and event latencies."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(server.url, connector=connector, headers=server.headers) as session:
        latencies: list[float] = []
        ended: dict[str, float] = {}
        socket = await session.ws_connect("/api/v1/events")
        await socket.receive()
        late: list[float] = []

        async def listen() -> None:
            async for message in socket:
                event = message.json()
                if event.get("kind") == "state":
                    late.append(time.time() - event["time"])
                    if event["state"] not in ("queued", "running"):
                        ended[event["job"]] = time.perf_counter()
                        if len(ended) == CLIENTS * JOBS:
                            return

        async def client(number: int) -> None:
            for turn in range(JOBS):
                begun = time.perf_counter()
                body = {**BODY, "inputs": {"a": number * JOBS + turn}}
                async with session.post("/api/v1/jobs", json=body) as answered:
                    if answered.status != 201:
                        raise RuntimeError(await answered.text())
                    await answered.read()
                latencies.append(time.perf_counter() - begun)

        listening = asyncio.create_task(listen())
        begun = time.perf_counter()
        await asyncio.gather(*(client(number) for number in range(CLIENTS)))
        accepted = time.perf_counter() - begun
        await listening
        await socket.close()
        return accepted, max(ended.values()) - begun, latencies, late


async def settle(server: Running) -> dict[str, Any]:
    """Wait until a worker is ready and warm."""
    async with aiohttp.ClientSession(server.url, headers=server.headers) as session:
        async with session.post("/api/v1/jobs?wait=60", json=BODY) as answered:
            first: dict[str, Any] = await answered.json()
        if first["state"] != "done":
            raise RuntimeError(str(first))
        return first


async def sample(server: Running, count: int) -> float:
    """Pictures of the embedded model a second, each with a seed of its own, once every worker is warm."""
    async with aiohttp.ClientSession(server.url, headers=server.headers) as session:

        async def picture(seed: int) -> None:
            body = {"workflow": "template:text-to-image", "inputs": {"seed": seed}, "targets": ["image"]}
            async with session.post("/api/v1/jobs?wait=300", json=body) as answered:
                job = await answered.json()
                if job["state"] != "done":
                    raise RuntimeError(str(job))

        await asyncio.gather(*(picture(seed) for seed in range(4)))
        begun = time.perf_counter()
        await asyncio.gather(*(picture(100 + seed) for seed in range(count)))
        return count / (time.perf_counter() - begun)


def percentile(values: Sequence[float], of: int) -> float:
    """A percentile, in milliseconds."""
    return statistics.quantiles(values, n=100)[of - 1] * 1e3


def run(*, large: bool) -> bool:  # noqa: ARG001 - one size
    """Print the figures; whether the budget of 500 jobs a second is met."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"commits of one row, one after another: {commit_rate(Path(folder)):,.0f} a second")
    rates = {}
    for workers in ("cpu", "cpu,cpu"):
        with tempfile.TemporaryDirectory() as folder:
            server = Running(Path(folder), workers)
            try:
                rates[workers] = _report(server, workers)
            finally:
                server.end()
    _report_sampling()
    return rates["cpu"] >= 500


def _report_sampling() -> None:
    pictures = {}
    for workers in ("cpu", "cpu,cpu"):
        with tempfile.TemporaryDirectory() as folder:
            server = Running(Path(folder), workers)
            try:
                asyncio.run(settle(server))
                pictures[workers] = asyncio.run(sample(server, 16))
            finally:
                server.end()
    one, two = pictures["cpu"], pictures["cpu,cpu"]
    print(f"pictures a second (20 steps): one worker {one:.2f}, two {two:.2f}: {two / one:.2f} times as many")


def _report(server: Running, workers: str) -> float:
    asyncio.run(settle(server))
    idle = psutil.Process(server.process.pid).memory_info().rss
    accepted, done, latencies, late = asyncio.run(flood(server))
    count = CLIENTS * JOBS
    print(f"workers {workers}: {CLIENTS} clients, {JOBS} jobs each")
    print(f"  answers {server.answering:.2f} s after its start; idle {idle / 2**20:.0f} MiB (workers apart)")
    print(f"  accepted {count / accepted:,.0f} a second; done {count / done:,.0f} a second")
    print(
        f"  submit: p50 {percentile(latencies, 50):.1f} ms, p99 {percentile(latencies, 99):.1f} ms; events: "
        f"p50 {percentile(late, 50):.1f} ms, p99 {percentile(late, 99):.1f} ms; "
        f"{done / count * 1e3:.2f} ms a job"
    )
    return count / done
