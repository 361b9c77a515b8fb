"""Many clients at once: none of their jobs is lost or mixed up, and the order is that of the policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from tests.server.conftest import Server

CLIENTS, JOBS = 50, 20


def workflow(number: int) -> dict[str, Any]:
    nodes = {"n": {"type": "value.integer", "inputs": {"value": number}}}
    return {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "n"}}}


async def flood(server: Server) -> tuple[dict[str, int], list[str]]:
    """Submit everything at once: what was accepted, and the jobs in the order in which they started."""
    headers = {"Authorization": f"Bearer {server.token}"}
    base, connector = f"http://127.0.0.1:{server.port}", aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(base, headers=headers, connector=connector) as session:
        accepted: dict[str, int] = {}
        started: list[str] = []
        ended: set[str] = set()

        async def client(number: int) -> None:
            for turn in range(JOBS):
                value = number * JOBS + turn
                async with session.post("/api/v1/jobs", json={"workflow": workflow(value)}) as answered:
                    assert answered.status == 201
                    accepted[(await answered.json())["id"]] = value

        async with session.ws_connect("/api/v1/events") as socket:
            await socket.receive()

            async def listen() -> None:
                async for message in socket:
                    event = message.json()
                    if event["kind"] == "state" and event["state"] == "running":
                        started.append(event["job"])
                    if event["kind"] == "state" and event["state"] == "done":
                        ended.add(event["job"])
                        if len(ended) == CLIENTS * JOBS:
                            return

            listening = asyncio.create_task(listen())
            await asyncio.gather(*(client(number) for number in range(CLIENTS)))
            await asyncio.wait_for(listening, 120)
        return accepted, started


def test_a_thousand_jobs_of_fifty_clients_are_all_done_in_order(make_server: Callable[..., Server]) -> None:
    server = make_server()
    accepted, started = asyncio.run(flood(server))
    assert len(accepted) == CLIENTS * JOBS
    jobs = {job["id"]: job for job in server.ask("GET", "/api/v1/jobs?limit=1000").data["jobs"]}
    assert {id_: job["outputs"]["o"]["value"] for id_, job in jobs.items()} == accepted
    assert [jobs[id_]["number"] for id_ in started] == sorted(jobs[id_]["number"] for id_ in started)
    assert len(started) == len(accepted)


def test_users_take_turns_whoever_comes_first(make_server: Callable[..., Server]) -> None:
    from nodegraph.server.tokens import Tokens

    server = make_server()
    server.ask("PATCH", "/api/v1/queue", {"paused": True})
    hers = Tokens(server.data_dir).add("gerda")
    for number in range(6):
        server.ask("POST", "/api/v1/jobs", {"workflow": workflow(number)})
    for number in range(3):
        server.ask("POST", "/api/v1/jobs", {"workflow": workflow(100 + number)}, token=hers)
    server.ask("PATCH", "/api/v1/queue", {"paused": False})
    for token, count in (("", 6), (hers, 3)):
        while server.ask("GET", "/api/v1/system", token=token).data["jobs"].get("done", 0) < count:
            time.sleep(0.05)
    jobs = [
        (job["started"], job["user"])
        for token in ("", hers)
        for job in server.ask("GET", "/api/v1/jobs", token=token).data["jobs"]
    ]
    order = [user for _, user in sorted(jobs)]
    assert order[:6] in (["owner", "gerda"] * 3, ["gerda", "owner"] * 3)
