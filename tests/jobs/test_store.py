"""The job store: what is accepted is kept, and every job ends exactly once."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from nodegraph.errors import InputError
from nodegraph.jobs.backup import backup, check, restore
from nodegraph.jobs.database import Database, DatabaseError
from nodegraph.jobs.journal import lost_commits
from nodegraph.jobs.records import JobEvent, NewJob, State
from nodegraph.jobs.store import JobStore

T = TypeVar("T")


def with_store(path: Path, scenario: Callable[[JobStore], Awaitable[T]]) -> T:
    database = Database(path)
    database.open()
    try:
        return asyncio.run(scenario(JobStore(database)))  # type: ignore[arg-type] # any awaitable will do
    finally:
        database.close()


def new(user: str = "a", number: int = 0, key: str | None = None) -> NewJob:
    return NewJob(user=user, document=b'{"number": %d}' % number, key=key)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def test_a_job_ends_once(path: Path) -> None:
    async def scenario(store: JobStore) -> None:
        ((job, created),) = await store.submit([new()])
        assert (created, job.state, job.attempts) == (True, "queued", 0)
        assert await store.finish(job.id, "done") is None  # it has not begun
        assert (await store.start(job.id, "cpu-0")) is not None
        assert await store.start(job.id, "cpu-1") is None
        ended = await store.finish(job.id, "done", result=b"{}")
        assert ended is not None
        assert (ended.state, ended.attempts, ended.result) == ("done", 1, b"{}")
        ends: tuple[State, ...] = ("done", "failed", "cancelled")
        for state in ends:
            assert await store.finish(job.id, state) is None
        assert await store.put_back(job.id, "queued") is None
        assert await store.get(job.id) == ended

    with_store(path, scenario)


def test_a_waiting_job_can_be_cancelled_held_moved_and_raised(path: Path) -> None:
    async def scenario(store: JobStore) -> None:
        jobs = [job for job, _ in await store.submit([new(number=number) for number in range(3)])]
        assert [job.number for job in jobs] == [1, 2, 3]
        held = await store.hold(jobs[0].id)
        assert held is not None
        assert held.state == "held"
        assert await store.start(jobs[0].id, "w") is None
        assert (await store.hold(jobs[0].id, False)) is not None
        raised = await store.set_priority(jobs[1].id, 5)
        moved = await store.move(jobs[2].id, 0.5)
        assert raised is not None
        assert moved is not None
        assert (raised.priority, moved.position) == (5, 0.5)
        cancelled = await store.finish(jobs[1].id, "cancelled")
        assert cancelled is not None
        assert [job.id for job in await store.waiting()] == [jobs[0].id, jobs[2].id]
        assert await store.counts() == {"queued": 2, "cancelled": 1}

    with_store(path, scenario)


def test_a_key_makes_one_job_and_refuses_another(path: Path) -> None:
    async def scenario(store: JobStore) -> None:
        ((first, _),) = await store.submit([new(key="k")])
        ((second, created),) = await store.submit([new(key="k")])
        assert (second.id, created) == (first.id, False)
        ((other, created),) = await store.submit([new("b", key="k")])
        assert created
        assert other.id != first.id
        with pytest.raises(InputError, match="belongs to another job"):
            await store.submit([new(number=7), new(number=8, key="k")])
        assert sum((await store.counts()).values()) == 2  # the first of the two was not kept either

    with_store(path, scenario)


def test_what_ran_when_the_process_ended_waits_again(path: Path) -> None:
    async def before(store: JobStore) -> list[str]:
        jobs = [job for job, _ in await store.submit([new(number=number) for number in range(3)])]
        for job in jobs[:2]:
            await store.start(job.id, "w")
        await store.finish(jobs[0].id, "done")
        return [job.id for job in jobs]

    async def after(store: JobStore) -> list[tuple[str, str, int]]:
        recovered = await store.recover()
        return [(job.id, job.state, job.attempts) for job in recovered]

    ids = with_store(path, before)
    assert with_store(path, after) == [(ids[1], "queued", 1)]


def test_events_are_kept_in_order_and_end_with_their_job(path: Path) -> None:
    async def scenario(store: JobStore) -> None:
        ((job, _),) = await store.submit([new()])
        events = [JobEvent(job.id, seq, "state", b"{}", 1.0) for seq in (1, 2, 3)]
        await store.add_events([*events, JobEvent("gone", 1, "state", b"{}", 1.0)])
        assert await store.events(job.id, after=1) == events[1:]
        assert (await store.last_event(job.id), await store.last_event("gone")) == (3, 0)
        assert not await store.delete(job.id)  # it is not over
        await store.finish(job.id, "cancelled")
        assert await store.delete(job.id)
        assert await store.events(job.id) == []

    with_store(path, scenario)


def test_many_submits_share_commits_and_keep_their_order(path: Path) -> None:
    async def scenario(store: JobStore) -> int:
        before = store.database.commits
        made = await asyncio.gather(*(store.submit([new(number=number)]) for number in range(200)))
        numbers = [job.number for ((job, _),) in made]
        assert numbers == list(range(1, 201))
        return store.database.commits - before

    assert with_store(path, scenario) < 50


def test_one_that_fails_spoils_no_other(path: Path) -> None:
    async def scenario(store: JobStore) -> None:
        def bad(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO settings VALUES ('x', 'y')")
            raise ValueError("mine alone")

        results = await asyncio.gather(
            store.set_setting("a", "1"), store.database.write(bad), store.set_setting("b", "2"),
            return_exceptions=True,
        )  # fmt: skip
        assert [type(result) for result in results] == [type(None), ValueError, type(None)]
        assert [await store.setting(name) for name in ("a", "b", "x")] == ["1", "2", None]

    with_store(path, scenario)


KILLED = """
import asyncio, sys
from pathlib import Path
from nodegraph.jobs.database import Database
from nodegraph.jobs.records import NewJob
from nodegraph.jobs.store import JobStore

async def main(store):
    async def submit(number):
        ((job, _),) = await store.submit([NewJob(user="a", document=b"{}")])
        print(job.id, flush=True)
    await asyncio.gather(*(submit(number) for number in range(100_000)))

database = Database(Path(sys.argv[1]))
database.open()
asyncio.run(main(JobStore(database)))
"""


@pytest.mark.parametrize("lines", [1, 300])
def test_every_acknowledged_job_survives_a_kill(path: Path, lines: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += [line.strip() for line in process.stdout.read().split("\n") if len(line.strip()) == 32]
    process.stdout.close()
    process.wait()

    async def scenario(store: JobStore) -> set[str]:
        return {job.id for job in await store.waiting()}

    assert with_store(path, scenario) >= set(acknowledged)


def harm_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : 4096 * 3] = b"\xff" * 8192
    path.write_bytes(bytes(data))


def test_a_damaged_database_says_so_and_a_copy_is_put_back(path: Path, tmp_path: Path) -> None:
    async def scenario(store: JobStore) -> None:
        await store.submit([new(number=number) for number in range(50)])

    with_store(path, scenario)
    copy = tmp_path / "copy.sqlite"
    backup(path, copy)
    check(copy)
    for harm in (harm_page, lambda path: path.write_bytes(b"no database at all" * 500)):
        harm(path)
        with pytest.raises(DatabaseError, match=r"damaged.*nodegraph db restore"):
            check(path)
        kept = restore(path, copy)
        assert kept is not None
        assert kept.exists()
        check(path)

        async def count(store: JobStore) -> int:
            return len(await store.waiting())

        assert with_store(path, count) == 50
        kept.unlink()


def test_a_damaged_copy_is_not_put_back(path: Path, tmp_path: Path) -> None:
    with_store(path, lambda store: store.submit([new()]))
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(DatabaseError):
        restore(path, copy)
    check(path)
    with pytest.raises(InputError, match="is there already"):
        backup(path, copy)


def test_a_newer_database_is_refused(path: Path) -> None:
    with_store(path, lambda store: store.submit([new()]))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DatabaseError, match="newer version"):
        Database(path).open()


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from nodegraph.jobs.database import Database, DatabaseError
from nodegraph.jobs.records import NewJob
from nodegraph.jobs.store import JobStore

async def main(store):
    kept = 0
    try:
        while True:
            await store.submit([NewJob(user="a", document=b"x" * 100_000)])
            kept += 1
    except DatabaseError as error:
        print(error.problem.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.submit([NewJob(user="a", document=b"{}")])
    assert len(await store.waiting()) == kept + 1, kept

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = Database(Path(sys.argv[1]))
database.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
asyncio.run(main(JobStore(database)))
database.close()
"""


def test_a_full_disk_refuses_and_later_accepts_again(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "database_full"), done.stderr


def test_a_torn_end_of_the_journal_is_no_damage_and_a_damaged_middle_is(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"

    async def fill() -> bytes:
        database = Database(path)
        database.open()
        store = JobStore(database)
        for _ in range(20):
            await store.submit([NewJob(user="u", document=b"{}")])
        log = path.with_name("jobs.sqlite-wal").read_bytes()
        database.close()
        return log

    whole = asyncio.run(fill())
    log = path.with_name("jobs.sqlite-wal")
    log.write_bytes(whole)
    assert lost_commits(path) == 0
    log.write_bytes(whole[:-100])
    assert lost_commits(path) == 0  # the last frame is not there at all
    log.write_bytes(whole[:-100] + b"\xff" * 100)
    assert lost_commits(path) == 1
    middle = len(whole) // 2
    log.write_bytes(whole[:middle] + b"\xff" * 64 + whole[middle + 64 :])
    assert lost_commits(path) > 5
    log.write_bytes(b"\0" * 32 + whole[32:])
    assert lost_commits(path) > 5
