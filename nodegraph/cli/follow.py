"""To the end of a job: with bars, or in silence. Ctrl-C ends the watching and not the job."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from nodegraph.cli.bars import Bars
from nodegraph.cli.failures import LeftError
from nodegraph.cli.received import print_json, print_outputs, write_output
from nodegraph.cli.signals import signals
from nodegraph.client import Client, JobCancelledError, JobFailedError
from nodegraph.wire import events
from nodegraph.wire.jobs import JobView

T = TypeVar("T")


async def to_the_end(
    client: Client, job: JobView, *, live: bool, output: Path | None, output_name: str | None, as_json: bool
) -> None:
    """Follow a job, and print or write what it gave. JobFailedError, JobCancelledError: it ended otherwise.

    LeftError: Ctrl-C came first; the job goes on.
    """
    try:
        if live:
            await _unless_left(_watch(client, job), job)
        ended = await _unless_left(client.finish(job.id), job)
    except (JobFailedError, JobCancelledError) as error:
        if as_json:
            print_json(error.job)
        raise
    paths = await write_output(client, ended, output, output_name) if output is not None else []
    if as_json:
        print_json(ended)
        return
    if output is None:
        print_outputs(ended)
    for path in paths:
        click.echo(path.absolute())


async def _watch(client: Client, job: JobView) -> None:
    with Bars() as bars:
        async for event in client.events(job.id):
            show(bars, job.number, event)


def show(bars: Bars, number: int, event: events.JobEvent) -> None:
    """Bars for nodes, and a line for every state of the job."""
    match event:
        case events.StateChanged(state=state, reason=reason):
            bars.clear()
            bars.say(f"job {number}: {state}" + (f" ({reason})" if reason else ""))
        case events.FileHashed(name=name, done=done, total=total):
            bars.hashing(name, done, total)
        case events.NodeStarted(node=node):
            bars.started(node)
        case events.NodeProgress(node=node, done=done, total=total):
            bars.progress(node, done, total)
        case events.NodeFinished(node=node, outcome=outcome, seconds=seconds):
            bars.finished(node, seconds if outcome == "ran" else None)
        case _:
            pass


async def _unless_left(work: Coroutine[Any, Any, T], job: JobView) -> T:
    task = asyncio.ensure_future(work)

    def leave() -> None:
        task.cancel()

    try:
        with signals(leave):
            return await task
    except asyncio.CancelledError:
        raise LeftError(
            f"job {job.number} goes on. Watch it again: nodegraph watch {job.number}; "
            f"stop it: nodegraph jobs cancel {job.number}"
        ) from None
