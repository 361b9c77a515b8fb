"""The WebSocket: a snapshot, events of one's own jobs, binary previews, several clients."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from nodegraph.server.tokens import Tokens
from tests.server.conftest import Server


@asynccontextmanager
async def connected(server: Server, token: str = "") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {token or server.token}"}
    url = f"http://127.0.0.1:{server.port}/api/v1/events"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        yield socket


async def until_over(socket: aiohttp.ClientWebSocketResponse, job: str) -> list[Any]:
    """All messages up to the end of the job."""
    found: list[Any] = []
    async for message in socket:
        found.append(message.data if isinstance(message.data, bytes) else json.loads(message.data))
        last = found[-1]
        if isinstance(last, dict) and last.get("job") == job and last.get("state") in ("done", "failed"):
            return found
    raise AssertionError(f"the socket was closed: {socket.close_code}")


def test_two_clients_see_the_same_events_of_a_job(server: Server) -> None:
    async def follow() -> tuple[list[Any], list[Any]]:
        async with connected(server) as one, connected(server) as two:
            snapshots = [json.loads((await each.receive(10)).data) for each in (one, two)]
            assert [each["kind"] for each in snapshots] == ["snapshot", "snapshot"]
            job = await asyncio.to_thread(server.submit, "naughty.fine", number=11)
            return await until_over(one, job["id"]), await until_over(two, job["id"])

    first, second = asyncio.run(follow())
    assert first == second
    kinds = [each["kind"] for each in first]
    assert (kinds[0], kinds[-1]) == ("state", "state")
    assert "node_finished" in kinds


def test_a_snapshot_holds_what_waits_in_its_order(server: Server) -> None:
    held = server.submit("naughty.fine", number=1, options={"hold": True, "title": "later"})

    async def look() -> Any:
        async with connected(server) as socket:
            return json.loads((await socket.receive(10)).data)

    told = asyncio.run(look())
    assert held["id"] in [job["id"] for job in told["jobs"]]
    server.ask("POST", f"/api/v1/jobs/{held['id']}/cancel")


def test_previews_come_as_jpeg_with_a_header(server: Server) -> None:
    wanted = {"workflow": "template:text-to-image", "inputs": {"seed": 991}, "previews": True}

    async def follow() -> list[Any]:
        async with connected(server) as socket:
            await socket.receive(10)
            job = (await asyncio.to_thread(server.ask, "POST", "/api/v1/jobs", wanted)).data
            return await until_over(socket, job["id"])

    pictures = [each for each in asyncio.run(follow()) if isinstance(each, bytes)]
    assert len(pictures) >= 2
    (length,) = struct.unpack(">I", pictures[0][:4])
    header = json.loads(pictures[0][4 : 4 + length])
    assert (header["kind"], header["final"]) == ("preview", False)
    assert pictures[0][4 + length :].startswith(b"\xff\xd8")


def test_nobody_hears_of_somebody_elses_jobs(server: Server) -> None:
    token = Tokens(server.data_dir).add("doris")

    async def follow() -> list[Any]:
        async with connected(server, token) as socket:
            await socket.receive(10)
            await asyncio.to_thread(server.submit, "naughty.fine", wait=60, number=5)
            mine = {"nodegraph": 1, "nodes": {"n": {"type": "naughty.fine"}}, "outputs": {"o": {"from": "n"}}}
            asked = lambda: server.ask("POST", "/api/v1/jobs", {"workflow": mine}, token=token)  # noqa: E731
            job = (await asyncio.to_thread(asked)).data
            heard = await until_over(socket, job["id"])
            assert {each["job"] for each in heard} == {job["id"]}
            return heard

    try:
        assert asyncio.run(follow())
    finally:
        Tokens(server.data_dir).remove("doris")


def test_a_client_may_watch_one_job_and_nonsense_ends_the_connection(server: Server) -> None:
    async def follow() -> int | None:
        async with connected(server) as socket:
            await socket.receive(10)
            await socket.send_str('{"watch": ["nothing"]}')
            await asyncio.to_thread(server.submit, "naughty.fine", wait=60, number=6)
            await socket.send_str("nonsense")
            message = await socket.receive(10)
            assert message.type == aiohttp.WSMsgType.CLOSE
            return socket.close_code

    assert asyncio.run(follow()) == 1003


def test_a_cookie_alone_opens_no_socket(server: Server) -> None:
    upgrade = {
        "Cookie": f"nodegraph-{server.port}={server.token}", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    assert server.ask("GET", "/api/v1/events", token=None, headers=upgrade).status == 403
