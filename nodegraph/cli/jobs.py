"""`nodegraph jobs` and `nodegraph watch`: what a server has to do, and changes to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nodegraph.cli.follow import to_the_end
from nodegraph.cli.options import Where
from nodegraph.cli.received import check_file, print_json, print_outputs
from nodegraph.client import Client
from nodegraph.client.events import FINAL
from nodegraph.errors import InputError, Problem
from nodegraph.wire.jobs import JobView

Work = Callable[[Client], Awaitable[None]]


def speak(where: Where, work: Work) -> None:
    """Do something with the client of a server."""

    async def speaking() -> None:
        async with Client.from_environment(*where) as client:
            await work(client)

    asyncio.run(speaking())


async def find_job(client: Client, text: str) -> JobView:
    """The job of that id, or of that number. InputError: there is none of that number."""
    if not text.isdecimal() or len(text) > 17:
        return await client.job(text)
    number = int(text)
    async for job in client.jobs(before=number + 1):
        if job.number == number:
            return await client.job(job.id)
        break
    raise InputError(
        f"you have no job {number}", code="unknown_job", remedy="`nodegraph jobs` lists the jobs you have."
    )


async def list_jobs(client: Client, count: int, as_json: bool) -> None:
    """Print the newest jobs."""
    found: list[JobView] = []
    async for job in client.jobs():
        if len(found) >= count:
            break
        found.append(job)
    if as_json:
        click.echo(json.dumps([job.model_dump(mode="json") for job in found], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("job", "state", "submitted", "title", "id"):
        table.add_column(column, overflow="fold")
    for job in found:
        table.add_row(str(job.number), job.state, _moment(job.created), job.title, job.id)
    _print(table)


async def show_job(client: Client, text: str, as_json: bool) -> None:
    """Print one job: state, times, inputs, and what it gave or what was wrong."""
    job = await find_job(client, text)
    if as_json:
        print_json(job)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for label, value in (
        ("job", str(job.number)), ("id", job.id), ("title", job.title), ("state", job.state),
        ("place", f"{job.place} before it" if job.place is not None else ""), ("priority", str(job.priority)),
        ("submitted", _moment(job.created)), ("started", _moment(job.started)),
        ("finished", _moment(job.finished)), ("worker", job.worker or ""), ("attempts", str(job.attempts)),
        *((f"input {name}", json.dumps(each, ensure_ascii=False)) for name, each in job.inputs.items()),
        *(("problem", Problem(**one.model_dump()).describe()) for one in job.problems),
    ):  # fmt: skip
        if value:
            table.add_row(label, value)
    _print(table)
    print_outputs(job)


async def cancel_jobs(client: Client, names: Sequence[str]) -> None:
    """Cancel jobs, and print what became of each."""
    for name in names:
        job = await client.cancel((await find_job(client, name)).id)
        click.echo(f"job {job.number}: {job.state if job.state in FINAL else 'is being stopped'}")


async def retry_job(client: Client, name: str) -> None:
    """Submit a job that is over once more, and print the new id."""
    click.echo((await client.retry((await find_job(client, name)).id)).id)


async def pause_queue(client: Client, paused: bool) -> None:
    """Pause or resume the queue, and print how it stands."""
    queue = await client.pause(paused)
    state = "paused" if queue.paused else "open"
    click.echo(f"the queue is {state}: {len(queue.running)} running, {len(queue.waiting)} waiting")


async def watch_job(
    client: Client, name: str | None, output: Path | None, output_name: str | None, as_json: bool
) -> None:
    """Follow a job to its end: the named one, or the one that runs, or the next to start."""
    if output is not None:
        check_file(output)
    job = await (_current(client) if name is None else find_job(client, name))
    await to_the_end(client, job, live=True, output=output, output_name=output_name, as_json=as_json)


async def _current(client: Client) -> JobView:
    queue = await client.queue()
    for id_ in (*queue.running, *queue.waiting):
        return await client.job(id_)
    raise InputError(
        "none of your jobs runs or waits", code="no_job", remedy="Name one that `nodegraph jobs` lists."
    )


def _moment(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds is not None else ""


def _print(table: Table) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 200  # a file has no edge to fold at
    console.print(table)
