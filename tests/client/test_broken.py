"""Connections break, servers are killed: nothing is lost, nothing is made twice, and it comes to an end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from nodegraph.client import Client, Patience, ServerError, UnreachableError
from nodegraph.errors import InputError
from nodegraph.wire.events import JobEvent, NodeStarted, StateChanged
from nodegraph.wire.jobs import FileView, JobView
from tests.client.conftest import SOON, Relay, Talk, client_of, one
from tests.server.conftest import Server


def states(events: list[JobEvent]) -> list[str]:
    return [event.state for event in events if isinstance(event, StateChanged)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_events_go_on_over_a_restart(make_server: Callable[..., Server], number: signal.Signals) -> None:
    server = make_server()
    found: list[JobEvent] = []

    async def work() -> JobView:
        async with client_of(server) as client:
            job = await client.submit(one("naughty.sleep", seconds=2.0))
            async for event in client.events(job.id):
                found.append(event)
                if isinstance(event, NodeStarted) and server.process is not None and len(found) < 6:
                    await asyncio.to_thread(server.end, number)
                    await asyncio.to_thread(server.start)
            return await client.finish(job.id)

    job = asyncio.run(work())
    assert (job.state, job.outputs["o"].value) == ("done", 0)
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    assert states(found)[-1] == "done"
    assert states(found).count("done") == 1
    assert server.events(job.id) == [event.model_dump(mode="json") for event in found]


def test_a_run_outlives_the_server(make_server: Callable[..., Server]) -> None:
    server = make_server()

    async def work() -> JobView:
        async with client_of(server) as client:
            await client.run(one("naughty.fine"))  # a worker is ready
            running = asyncio.create_task(client.run(one("naughty.sleep", seconds=1.0)))
            while not (await client.queue()).running:
                pass
            await asyncio.to_thread(server.end, signal.SIGKILL)
            await asyncio.to_thread(server.start)
            return await running

    assert asyncio.run(work()).state == "done"


def test_a_server_that_stays_away_is_given_up(make_server: Callable[..., Server]) -> None:
    server = make_server()

    async def work() -> None:
        async with client_of(server, patience=Patience(tries=3, first=0.01)) as client:
            job = await client.submit(one("naughty.sleep"))
            async for event in client.events(job.id):
                if isinstance(event, NodeStarted):
                    await asyncio.to_thread(server.end, signal.SIGKILL)

    with pytest.raises(UnreachableError, match="accepted go on") as raised:
        asyncio.run(work())
    assert raised.value.problem.code == "connection_lost"


def test_pauses_grow_up_to_the_longest() -> None:
    pauses = [Patience(first=0.5, longest=3.0).pause(number) for number in range(5)]
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_lost_answer_makes_no_second_job(server: Server, talk: Talk) -> None:
    before = len(server.ask("GET", "/api/v1/jobs").data["jobs"])

    async def work() -> JobView:
        async with Relay(server.port, [0, 10]) as relay:
            async with Client(f"http://127.0.0.1:{relay.port}", server.token, patience=SOON) as client:
                job = await client.submit(one("naughty.fine", number=1))
            assert sum(request.startswith(b"POST") for request in relay.requests) == 3
        return job

    job = asyncio.run(work())
    listed = server.ask("GET", "/api/v1/jobs").data["jobs"]
    assert len(listed) == before + 1
    assert listed[0]["id"] == job.id


def test_a_retry_is_not_sent_twice(server: Server, talk: Talk) -> None:
    job: JobView = talk(lambda client: client.run(one("naughty.fine")))
    before = len(server.ask("GET", "/api/v1/jobs").data["jobs"])

    async def work() -> None:
        async with (
            Relay(server.port, [0]) as relay,
            Client(f"http://127.0.0.1:{relay.port}", server.token, patience=SOON) as client,
        ):
            await client.retry(job.id)

    with pytest.raises(UnreachableError):
        asyncio.run(work())
    assert len(server.ask("GET", "/api/v1/jobs").data["jobs"]) <= before + 1


@pytest.fixture(scope="module")
def file(server: Server) -> FileView:
    """A picture that the server made."""
    body = {"workflow": "template:text-to-image", "inputs": {"seed": 7, "steps": 2}, "targets": ["image"]}
    job = server.ask("POST", "/api/v1/jobs?wait=120", body, timeout=150).data
    return FileView(**job["outputs"]["image"]["files"][0])


def test_a_file_comes_whole_after_the_connection_broke(
    server: Server, file: FileView, tmp_path: Path
) -> None:
    async def work() -> Path:
        async with (
            Relay(server.port, [file.size // 2, 0]) as relay,
            Client(f"http://127.0.0.1:{relay.port}", server.token, patience=SOON) as client,
        ):
            found = await client.download(file, tmp_path / "new" / "a.png")
            assert len(relay.requests) == 3
            return found

    assert asyncio.run(work()).read_bytes() == server.ask("GET", file.url).body


def test_half_a_file_is_none(server: Server, file: FileView, tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_text("what was there")

    async def work() -> None:
        async with (
            Relay(server.port, [file.size // 2]) as relay,
            Client(f"http://127.0.0.1:{relay.port}", server.token, patience=Patience(tries=0)) as client,
        ):
            await client.download(file, target)

    with pytest.raises(UnreachableError):
        asyncio.run(work())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.png", "what was there")]


def test_another_file_than_told_is_none(talk: Talk, file: FileView, tmp_path: Path) -> None:
    for change in ({"hash": "0" * 40}, {"size": 1}):
        told = file.model_copy(update=change)
        with pytest.raises(ServerError) as raised:
            talk(partial(Client.download, file=told, target=tmp_path / "a.png"))
        assert raised.value.code == "damaged"
    with pytest.raises(ServerError, match="no file"):
        talk(lambda client: client.download("/api/v1/files/" + "0" * 40 + ".png", tmp_path / "a.png"))
    with pytest.raises(InputError, match="cannot be written"):
        talk(lambda client: client.download(file, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_token_goes_to_no_other_server(talk: Talk, tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:1/a.png", "//127.0.0.1:1/a.png", "a.png"):
        with pytest.raises(InputError, match="is no file of"):
            talk(partial(Client.download, file=url, target=tmp_path / "a.png"))
