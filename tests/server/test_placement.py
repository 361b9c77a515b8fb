"""A job goes to the worker that has run the same before, and two workers overlap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from nodegraph.jobs.records import FINAL
from tests.server.conftest import Server


def workflow(file: str, number: int) -> dict[str, Any]:
    """A document that names a file, as loaders do, and something else."""
    nodes = {
        "t": {"type": "value.text", "inputs": {"value": file}},
        "n": {"type": "value.integer", "inputs": {"value": number}},
    }
    return {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}, "t": {"from": "t"}}}


def both_ready(server: Server) -> None:
    while {one["state"] for one in server.ask("GET", "/api/v1/system").data["workers"]} != {"idle"}:
        time.sleep(0.05)


def worker_of(server: Server, file: str, number: int) -> str:
    body = {"workflow": workflow(file, number)}
    return str(server.ask("POST", "/api/v1/jobs?wait=60", body).data["worker"])


def test_models_settle_on_workers(make_server: Callable[..., Server]) -> None:
    server = make_server(workers="cpu,cpu")
    both_ready(server)
    files = ("one.safetensors", "two.safetensors")
    first = {file: worker_of(server, file, 0) for file in files}
    assert len(set(first.values())) == 2
    for number in range(1, 4):
        for file in (*files, *reversed(files)):
            assert worker_of(server, file, number) == first[file]


def test_two_workers_run_at_the_same_time(make_server: Callable[..., Server]) -> None:
    server = make_server(workers="cpu,cpu")
    both_ready(server)
    jobs = [server.submit("naughty.sleep", seconds=2.0 + number / 10) for number in range(2)]
    ended = [server.job(job["id"], wait=60) for job in jobs]
    assert {job["state"] for job in ended} == {"done"}
    assert len({job["worker"] for job in ended}) == 2
    assert max(job["started"] for job in ended) < min(job["finished"] for job in ended)


def test_a_cancelled_sampler_stops_within_a_step(server: Server) -> None:
    """At most two steps end after the cancel is acknowledged: the one that runs, and one on its way."""

    async def scenario() -> tuple[list[int], str]:
        headers = {"Authorization": f"Bearer {server.token}"}
        base = f"http://127.0.0.1:{server.port}"
        body = {"workflow": "template:text-to-image", "inputs": {"seed": 4242, "steps": 1000}}
        async with aiohttp.ClientSession(base, headers=headers) as session:
            socket = await session.ws_connect("/api/v1/events")
            await socket.receive()
            job = (await (await session.post("/api/v1/jobs", json=body)).json())["id"]
            acknowledged, late = 0.0, []
            async for message in socket:
                event = message.json()
                if event["kind"] == "progress" and acknowledged and event["time"] > acknowledged:
                    late.append(event["done"])
                if event["kind"] == "progress" and event["done"] >= 5 and not acknowledged:
                    await (await session.post(f"/api/v1/jobs/{job}/cancel")).read()
                    acknowledged = time.time()
                if event["kind"] == "state" and event["state"] in FINAL:
                    return late, event["state"]
        raise AssertionError("the socket was closed")

    late, state = asyncio.run(scenario())
    assert state == "cancelled"
    assert len(late) <= 2, late
    assert server.ask("GET", "/api/v1/system").data["workers"][0]["restarts"] == 0
