"""Workers die alone: real processes, real signals, and the next job runs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from nodegraph.workers.messages import Cancelled, Done, Failed, Happened, Run
from nodegraph.workers.pool import Died, Limits, Outcome, Pool, Refused, Worker
from nodegraph.workers.settings import WorkerSettings

T = TypeVar("T")
NAUGHTY = "tests.workers.naughty:PACK"
Scenario = Callable[[Pool], Awaitable[T]]


@pytest.fixture
def pool_of(tmp_path: Path) -> Callable[..., Any]:
    """Runs a scenario with a pool of workers that know the naughty nodes."""

    def run(scenario: Scenario[T], limits: Limits | None = None, count: int = 1) -> T:
        async def whole() -> T:
            changed = asyncio.Event()
            settings = WorkerSettings(data_dir=str(tmp_path), device="cpu", packs=(NAUGHTY,))
            pool = Pool([settings] * count, limits or Limits(), changed.set)
            pool.start()
            try:
                async with asyncio.timeout(90):
                    return await scenario(pool)
            finally:
                await pool.close()

        return asyncio.run(whole())

    return run


async def idle(pool: Pool) -> Worker:
    """The first worker that can take a job, once there is one."""
    while not pool.idle():  # noqa: ASYNC110 - a test looks from outside
        await asyncio.sleep(0.01)
    return pool.idle()[0]


def job(name: str, type_: str, previews: bool = False, **inputs: Any) -> Run:
    document = {
        "nodegraph": 1,
        "nodes": {"n": {"type": type_, "inputs": inputs}},
        "outputs": {"o": {"from": "n"}},
    }
    return Run(name, json.dumps(document).encode(), previews=previews)


async def outcome(pool: Pool, run: Run, events: list[Happened] | None = None) -> Outcome:
    return await (await idle(pool)).run(run, (events if events is not None else []).append)


def test_a_job_gives_its_outputs_and_its_events(pool_of: Callable[..., Any]) -> None:
    events: list[Happened] = []

    async def scenario(pool: Pool) -> Outcome:
        return await outcome(pool, job("j", "naughty.fine", number=4), events)

    done = pool_of(scenario)
    assert isinstance(done, Done)
    result = json.loads(done.result)
    assert result["outputs"] == {"o": {"kind": "json", "value": 5}}
    assert [event.kind for event in events] == ["planned", "node_started", "node_finished"]
    assert {event.job for event in events} == {"j"}


def test_what_fails_says_why_and_the_worker_goes_on(pool_of: Callable[..., Any]) -> None:
    async def scenario(pool: Pool) -> list[Any]:
        failed = [
            await outcome(pool, job("a", "naughty.raise")),
            await outcome(pool, job("b", "naughty.fine", number="x")),
            await outcome(pool, Run("c", b'{"nodegraph": 1, "nodes": {}}')),
        ]
        pid = (await idle(pool)).pid
        fine = await outcome(pool, job("d", "naughty.fine"))
        return [*failed, fine, pid, (await idle(pool)).pid]

    a, b, c, fine, before, after = pool_of(scenario)
    codes = [json.loads(failed.problems)[0]["code"] for failed in (a, b, c) if isinstance(failed, Failed)]
    assert codes == ["node_failed", "wrong_type", "empty"]
    assert isinstance(fine, Done)
    assert before == after


DEATHS = {
    "naughty.crash": ("crash", "SIGSEGV"),
    "naughty.leave": ("crash", "exit code 3"),
    "naughty.kill": ("killed", "SIGKILL"),
}


@pytest.mark.parametrize("type_", DEATHS)
def test_a_death_is_told_and_a_fresh_worker_takes_the_next_job(
    pool_of: Callable[..., Any], type_: str
) -> None:
    async def scenario(pool: Pool) -> tuple[Outcome, Outcome, int]:
        first = await outcome(pool, job("a", type_))
        return first, await outcome(pool, job("b", "naughty.fine")), pool.workers["cpu-0"].restarts

    died, done, restarts = pool_of(scenario)
    cause, words = DEATHS[type_]
    assert isinstance(died, Died)
    assert died.cause == cause
    assert words in died.reason
    assert isinstance(done, Done)
    assert restarts == 1


def test_a_loop_that_stands_still_is_a_hang(pool_of: Callable[..., Any]) -> None:
    died = pool_of(lambda pool: outcome(pool, job("a", "naughty.block")), Limits(silence=3.0))
    assert isinstance(died, Died)
    assert died.cause == "hang"


def test_memory_that_grows_too_large_ends_that_worker_alone(pool_of: Callable[..., Any]) -> None:
    async def scenario(pool: Pool) -> tuple[Outcome, Outcome]:
        return await outcome(pool, job("a", "naughty.grow")), await outcome(pool, job("b", "naughty.fine"))

    died, done = pool_of(scenario, Limits(memory=400 * 2**20))
    assert isinstance(died, Died)
    assert died.cause == "memory"
    assert "419,430,400 are allowed" in died.reason
    assert isinstance(done, Done)


@pytest.mark.parametrize("listens", [True, False])
def test_a_cancelled_job_stops_or_is_stopped(pool_of: Callable[..., Any], listens: bool) -> None:
    async def scenario(pool: Pool) -> tuple[Outcome, bool]:
        worker = await idle(pool)
        begun = asyncio.Event()

        def heard(event: Happened) -> None:
            if event.kind == "node_started":
                begun.set()

        pid = worker.pid
        running = asyncio.create_task(worker.run(job("a", "naughty.sleep", listens=listens), heard))
        await begun.wait()
        worker.cancel()
        found = await running
        return found, (await idle(pool)).pid == pid

    found, same = pool_of(scenario, Limits(grace=20.0 if listens else 0.5))
    assert isinstance(found, Cancelled if listens else Died)
    assert same is listens


def test_questions_are_answered_while_a_job_runs(pool_of: Callable[..., Any]) -> None:
    async def scenario(pool: Pool) -> tuple[Any, Any, list[str]]:
        worker = await idle(pool)
        running = asyncio.create_task(worker.run(job("a", "naughty.sleep"), lambda _event: None))
        document = json.loads(job("x", "naughty.fine").document)
        plan = await worker.ask("plan", {"workflow": document})
        problems = await worker.ask("check", {"workflow": json.loads(job("x", "naughty.nothing").document)})
        catalogue = await worker.ask("catalogue")
        with pytest.raises(Refused):
            await worker.ask("check", {})
        worker.cancel()
        await running
        return plan, problems, [entry["id"] for entry in catalogue]

    plan, problems, ids = pool_of(scenario)
    assert plan["plan"] == {"n": {"action": "run", "reason": "first run"}}
    assert [problem["code"] for problem in problems] == ["unknown_type"]
    assert {"naughty.fine", "sample"} <= set(ids)


def test_two_workers_overlap(pool_of: Callable[..., Any]) -> None:
    async def scenario(pool: Pool) -> list[str]:
        order: list[str] = []
        while len(pool.idle()) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        workers = pool.idle()

        def hear(event: Happened) -> None:
            if event.kind != "planned":
                order.append(f"{event.job} {event.kind}")

        jobs = [job(name, "naughty.sleep", seconds=1.0) for name in "ab"]
        await asyncio.gather(*(worker.run(run, hear) for worker, run in zip(workers, jobs, strict=True)))
        return order

    order = pool_of(scenario, count=2)
    assert {line.partition(" ")[2] for line in order[:2]} == {"node_started"}


def test_what_nodes_print_is_logged_with_their_job(
    pool_of: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "nodegraph.workers"):
        pool_of(lambda pool: outcome(pool, job("the job", "naughty.print", text="hello from a node")))
    assert ("hello from a node", "the job") in [
        (record.getMessage(), getattr(record, "job", None)) for record in caplog.records
    ]


def test_a_worker_that_cannot_start_is_given_up(tmp_path: Path) -> None:
    async def scenario() -> Worker:
        settings = WorkerSettings(data_dir=str(tmp_path), packs=("no.such.module:PACK",))
        pool = Pool([settings], Limits(starts=2))
        pool.start()
        worker = next(iter(pool.workers.values()))
        async with asyncio.timeout(60):
            while worker.state != "broken":  # noqa: ASYNC110 - a test looks from outside
                await asyncio.sleep(0.05)
        await pool.close()
        return worker

    worker = asyncio.run(scenario())
    assert any("no.such" in line or "No module" in line for line in worker.words)


PARENT = """
import asyncio, sys
from nodegraph.workers.pool import Limits, Pool
from nodegraph.workers.settings import WorkerSettings
from tests.workers.test_pool import NAUGHTY, idle, job

async def main():
    pool = Pool([WorkerSettings(data_dir=sys.argv[1], device="cpu", packs=(NAUGHTY,))], Limits())
    pool.start()
    worker = await idle(pool)
    def heard(event):
        if event.kind == "node_started":
            print(worker.pid, flush=True)
    await worker.run(job("a", "naughty.sleep", listens=False), heard)

asyncio.run(main())
"""


def test_a_worker_leaves_with_its_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    worker = psutil.Process(pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    worker.wait(timeout=20)  # raises where it lives on
