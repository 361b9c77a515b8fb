"""A worker: one process with one engine that runs the jobs it is given, one at a time.

It leaves at once when the server is gone. Questions are answered while a job runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pkgutil
import signal
import socket
import sys

import msgspec

from nodegraph.engine import Engine
from nodegraph.errors import CancelledError
from nodegraph.execution.cancel import CancelToken
from nodegraph.packs import load_packs
from nodegraph.workers.answering import ANSWERS
from nodegraph.workers.channel import Channel
from nodegraph.workers.messages import (
    Alive,
    Answer,
    Ask,
    Cancel,
    Cancelled,
    Done,
    Failed,
    Happened,
    Holds,
    Ready,
    Run,
    Stop,
    ToWorker,
    decode_to_worker,
)
from nodegraph.workers.results import has_pictures, problems_of, result_of
from nodegraph.workers.settings import WorkerSettings
from nodegraph.workers.translate import Told, packed, translation

BEAT = 1.0
"""Seconds between signs of life."""


def main(descriptor: int, settings: WorkerSettings) -> None:
    """Serve until the server closes its side."""
    _die_with_the_server()
    if settings.threads is not None:  # before torch is loaded, which asks once
        os.environ["OMP_NUM_THREADS"] = str(settings.threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the server
    asyncio.run(_serve(descriptor, settings))


async def _serve(descriptor: int, settings: WorkerSettings) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    channel: Channel[ToWorker] = Channel(reader, writer, decode_to_worker)
    packs = load_packs(extra=[(name, pkgutil.resolve_name(name)) for name in settings.packs])
    engine = Engine(
        settings.data_dir, device=settings.device, dtype=settings.dtype, accelerate=settings.accelerate,
        model_bytes=settings.model_bytes, cache_bytes=settings.cache_bytes, packs=packs, allow_paths=False,
    )  # fmt: skip
    with engine:
        worker = _Worker(channel, engine)
        channel.send(Ready(os.getpid(), settings.device, {pack.name: pack.version for pack in packs.loaded}))
        beat = asyncio.create_task(_beat(channel))
        while (message := await channel.receive()) is not None and not isinstance(message, Stop):
            worker.handle(message)
        beat.cancel()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # what still runs has nobody to tell; its thread would keep the process


async def _beat(channel: Channel[ToWorker]) -> None:
    while True:
        channel.send(Alive())
        await asyncio.sleep(BEAT)


class _Worker:
    """The state of this process: its engine, and the jobs that it was given."""

    def __init__(self, channel: Channel[ToWorker], engine: Engine) -> None:
        self._channel = channel
        self._engine = engine
        self._views: dict[str, Engine] = {"": engine}
        self._tokens: dict[str, CancelToken] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()

    def _engine_for(self, folder: str) -> Engine:
        """The engine as the user with that folder sees it."""
        if folder not in self._views:
            self._views[folder] = self._engine.within(self._engine.data_dir / folder)
        return self._views[folder]

    def handle(self, message: Run | Cancel | Ask) -> None:
        """Begin to do what the server asks."""
        if isinstance(message, Cancel):
            token = self._tokens.get(message.job)
            if token is not None:
                token.cancel()
            return
        if isinstance(message, Run):
            self._tokens[message.job] = CancelToken()
            task = asyncio.create_task(self._run(message))
        else:
            task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, run: Run) -> None:
        token, engine = self._tokens[run.job], self._engine_for(run.folder)
        translate = translation(engine.outputs)
        async with self._one_at_a_time:
            try:
                result = await engine.run(
                    json.loads(run.document), targets=run.targets, previews=run.previews, cancel=token,
                    on_event=lambda event: self._tell(run.job, translate(event)), **json.loads(run.inputs),
                )  # fmt: skip
                if has_pictures(result):  # to be written as files, which takes a while
                    told = await asyncio.to_thread(result_of, engine, result)
                else:
                    told = result_of(engine, result)
                self._channel.send(Done(run.job, told))
            except CancelledError:
                self._channel.send(Cancelled(run.job))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the job's
                self._channel.send(Failed(run.job, problems_of(error)))
                await self._leave_if_unwell()
            finally:
                del self._tokens[run.job]
                self._channel.send(Holds(_held(self._engine)))

    async def _leave_if_unwell(self) -> None:
        """End the process where the device computes no more: the next one has it again."""
        engine = self._engine
        if engine.has_resources and not await asyncio.to_thread(engine.resources.is_well):
            sys.stdout.write("the device computes no more in this process: a new one takes over\n")
            sys.stdout.flush()
            await self._channel.flush()
            os._exit(70)

    def _tell(self, job: str, told: Told | None) -> None:
        if told is not None:
            kind, fields, image = told
            picture = packed(image) if image is not None else None
            self._channel.send(Happened(job, kind, msgspec.json.encode(fields), picture))

    async def _answer(self, ask: Ask) -> None:
        try:
            data = await asyncio.to_thread(
                ANSWERS[ask.what], self._engine_for(ask.folder), json.loads(ask.data)
            )
            self._channel.send(Answer(ask.id, msgspec.json.encode(data)))
        except Exception as error:  # noqa: BLE001 - it is the asker's
            self._channel.send(Answer(ask.id, problems=problems_of(error)))


def _held(engine: Engine) -> list[str]:
    """The owners of the weights that are at hand."""
    if not engine.has_resources:
        return []
    return sorted({str(entry["owner"]) for entry in engine.resources.explain()})


def _die_with_the_server() -> None:
    """Ask Linux to end this process with its parent, whatever it is doing then."""
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
