"""The client's methods, against a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from nodegraph.client import Client, JobCancelledError, JobFailedError, ServerError, UnreachableError
from nodegraph.errors import InputError
from nodegraph.wire.events import NodeFinished, NodeStarted, Planned, StateChanged
from nodegraph.wire.jobs import JobView, Move
from tests.client.conftest import Talk, client_of, one
from tests.server.conftest import Server


def test_a_workflow_is_run_to_its_typed_result(talk: Talk) -> None:
    job: JobView = talk(lambda client: client.run(one("naughty.fine", number=4)))
    assert (job.state, job.outputs["o"].value, job.nodes["n"].outcome) == ("done", 5, "ran")


def test_what_is_asked_for_arrives(talk: Talk) -> None:
    async def work(client: Client) -> None:
        job = await client.submit(
            one("naughty.fine", number=1), priority=-3, title="mine", hold=True, idempotency_key="mine"
        )
        assert (job.state, job.priority, job.title) == ("held", -3, "mine")
        again = await client.submit(
            one("naughty.fine", number=1), priority=-3, title="mine", hold=True, idempotency_key="mine"
        )
        assert again.id == job.id
        changed = await client.change(job.id, priority=9)
        assert (changed.state, changed.priority) == ("held", 9)
        assert (await client.change(job.id, hold=False)).state != "held"
        assert (await client.job(job.id, wait=60)).state == "done"
        assert (await client.submit(one("naughty.fine", number=2), wait=60)).state == "done"

    talk(work)


def test_jobs_move_in_a_paused_queue(talk: Talk) -> None:
    async def work(client: Client) -> None:
        assert (await client.pause()).paused
        first, second = [(await client.submit(one("naughty.fine"))).id for _ in range(2)]
        assert first != second  # every call has a key of its own
        assert (await client.queue()).waiting == [first, second]
        await client.change(second, move=Move(to="front"))
        assert (await client.queue()).waiting == [second, first]
        assert (await client.job(first)).place == 1
        assert not (await client.pause(False)).paused
        assert (await client.finish(first)).state == "done"

    talk(work)


def test_events_are_typed_and_in_order(talk: Talk) -> None:
    async def work(client: Client) -> None:
        job = await client.submit(one("naughty.fine", number=77))
        found = [event async for event in client.events(job.id)]
        assert [type(event) for event in found] == [
            StateChanged, StateChanged, Planned, NodeStarted, NodeFinished, StateChanged,
        ]  # fmt: skip
        assert [event.seq for event in found] == list(range(1, len(found) + 1))
        assert [event async for event in client.events(job.id, after=2)] == found[2:]

    talk(work)


def test_cancelled_jobs_say_so(talk: Talk) -> None:
    async def work(client: Client) -> None:
        job = await client.submit(one("naughty.sleep"))
        async with aclosing(client.events(job.id)) as events:
            async for event in events:
                if isinstance(event, NodeStarted):
                    await client.cancel(job.id)
        with pytest.raises(JobCancelledError) as raised:
            await client.finish(job.id)
        assert raised.value.job.id == job.id
        again = await client.retry(job.id)
        assert again.id != job.id
        await client.cancel(again.id)
        with pytest.raises(JobCancelledError):
            await client.finish(again.id)

    talk(work)


def test_a_failed_job_raises_its_problems(talk: Talk) -> None:
    with pytest.raises(JobFailedError) as raised:
        talk(lambda client: client.run(one("naughty.raise")))
    (problem,) = raised.value.problems
    assert (raised.value.job.state, problem.node) == ("failed", "n")
    assert problem.message in str(raised.value)


def test_a_quarantined_job_raises_too(talk: Talk) -> None:
    with pytest.raises(JobFailedError) as raised:
        talk(lambda client: client.run(one("naughty.leave")))
    assert raised.value.job.state == "quarantined"
    assert "died" in str(raised.value)


def test_what_cannot_be_run_is_refused_with_its_problems(talk: Talk) -> None:
    talk(lambda client: client.run(one("naughty.fine")))  # a worker is ready
    with pytest.raises(ServerError) as raised:
        talk(lambda client: client.submit(one("naughty.fien")))
    error = raised.value
    assert (error.status, error.code) == (422, "workflow_problems")
    assert [(problem.code, problem.node) for problem in error.problems] == [("unknown_type", "n")]
    assert "naughty.fine" in str(error)


def test_other_refusals_tell_status_code_and_remedy(talk: Talk, server: Server) -> None:
    with pytest.raises(ServerError) as raised:
        talk(lambda client: client.job("../nothing"))
    assert (raised.value.status, raised.value.code) == (404, "unknown_job")

    async def as_nobody() -> None:
        async with Client(f"http://127.0.0.1:{server.port}", "wrong") as client:
            await client.system()

    with pytest.raises(ServerError) as raised:
        asyncio.run(as_nobody())
    assert (raised.value.status, raised.value.code) == (401, "not_logged_in")
    assert raised.value.remedy is not None
    assert "Authorization" in raised.value.remedy


def test_what_is_no_json_is_refused_here(talk: Talk) -> None:
    with pytest.raises(InputError, match="cannot be written as JSON"):
        talk(lambda client: client.run(one("naughty.fine"), number=float("nan")))
    with pytest.raises(InputError, match="cannot be written as JSON"):
        talk(lambda client: client.run(one("naughty.fine"), number=Path("picture.png")))


def test_system_and_nodes(talk: Talk) -> None:
    async def work(client: Client) -> None:
        await client.run(one("naughty.fine"))
        system = await client.system()
        assert [(worker.id, worker.device) for worker in system.workers] == [("cpu-0", "cpu")]
        assert system.jobs["done"] >= 1
        assert "naughty.fine" in [node["id"] for node in await client.nodes()]

    talk(work)


def test_jobs_are_read_page_by_page(make_server: Callable[..., Server]) -> None:
    server = make_server()

    async def work() -> None:
        async with client_of(server) as client:
            made = [(await client.submit(one("naughty.fine"), hold=True)).id for _ in range(103)]
            assert [job.id async for job in client.jobs()] == made[::-1]
            numbers = [job.number async for job in client.jobs(before=4)]
            assert numbers == [3, 2, 1]

    asyncio.run(work())


def test_where_nothing_listens_the_error_says_how_to_start_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens

        async def work() -> None:
            async with Client(f"http://127.0.0.1:{taken.getsockname()[1]}", "t") as client:
                await client.system()

        with pytest.raises(UnreachableError, match="nodegraph serve") as raised:
            asyncio.run(work())
    assert raised.value.problem.code == "unreachable"


def test_the_local_server_is_found_by_its_data_directory(server: Server) -> None:
    async def work() -> str:
        async with Client.local(server.data_dir, port=server.port) as client:
            return (await client.system()).version

    assert asyncio.run(work())
