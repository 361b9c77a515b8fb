"""The pool: starts worker processes, gives them jobs, and replaces those that die.

Whatever a worker does to itself, the server lives and is told in words what became of the job: a process
that crashes, leaves, is killed, outgrows its memory, or whose loop stands still.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
import psutil
from msgspec import Struct

from nodegraph.workers.channel import Channel
from nodegraph.workers.messages import (
    Answer,
    Ask,
    Cancel,
    Cancelled,
    Done,
    Failed,
    FromWorker,
    Happened,
    Holds,
    Question,
    Ready,
    Run,
    Stop,
    decode_from_worker,
)
from nodegraph.workers.settings import WorkerSettings

log = logging.getLogger(__name__)
State = Literal["starting", "idle", "busy", "dead", "broken"]
Cause = Literal["crash", "killed", "hang", "memory", "start", "stopped"]
LAST_WORDS = 20
"""Lines of a worker's output that are kept for when it dies."""


class Died(Struct, frozen=True):
    """The worker died with the job; why, and in words."""

    cause: Cause
    reason: str


Outcome = Done | Failed | Cancelled | Died
OnEvent = Callable[[Happened], None]


class Limits(Struct, frozen=True):
    """grace: seconds that a cancelled job has before its worker is killed; silence: seconds without a sign of
    life that count as a hang; memory: bytes that one worker may take (None: no limit); starts: failed starts
    in a row after which a worker is given up.
    """

    grace: float = 10.0
    silence: float = 120.0
    memory: int | None = None
    starts: int = 5


class Worker:
    """One process after another on one device. Its methods run in the server's loop."""

    def __init__(
        self, id_: str, settings: WorkerSettings, limits: Limits, changed: Callable[[], None]
    ) -> None:
        self.id = id_
        self.settings = settings
        self.state: State = "dead"
        self.job: str | None = None
        self._printing: str | None = None  # the job whose lines may still be on their way when it is over
        self.pid: int | None = None
        self.restarts = -1
        self.holds: Sequence[str] = ()
        self.words: deque[str] = deque(maxlen=LAST_WORDS)
        self._limits = limits
        self.changed = changed
        self._channel: Channel[FromWorker] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._on_event: OnEvent = lambda _event: None
        self._questions: dict[int, asyncio.Future[Answer]] = {}
        self._numbers = itertools.count()
        self._heard = time.monotonic()
        self._died: Died | None = None
        self._stopping = False
        self._failed_starts = 0

    async def live(self) -> None:
        """Keep a process running until `stop`."""
        while not self._stopping:
            try:
                await self._one_life()
            except OSError as error:
                self._bury("dead", Died("start", str(error)))
            if self._failed_starts >= self._limits.starts:
                self._bury("broken", Died("start", "; ".join(self.words) or "it never got ready"))
                return
            if self._failed_starts:
                await asyncio.sleep(min(30.0, 0.2 * 2**self._failed_starts))

    async def run(self, run: Run, on_event: OnEvent) -> Outcome:
        """Give the idle worker a job, and wait for what becomes of it."""
        if self.state != "idle" or self._channel is None:
            raise RuntimeError(f"worker {self.id} is {self.state}")
        self.state, self.job, self._on_event = "busy", run.job, on_event
        self._printing = run.job
        self._outcome = asyncio.get_running_loop().create_future()
        self._channel.send(run)
        return await self._outcome

    def cancel(self) -> None:
        """Ask the running job to stop; a worker that does not within the grace time is killed."""
        job, process = self.job, self._process
        if self._channel is None or job is None:
            return
        self._channel.send(Cancel(job))

        def insist() -> None:
            if self.job == job and self._process is process:
                self.kill(Died("stopped", "it did not stop when it was asked to"))

        asyncio.get_running_loop().call_later(self._limits.grace, insist)

    async def ask(self, what: Question, data: object = None, folder: str = "") -> Any:
        """The answer of the worker, as JSON data. RuntimeError where it is not there; see `Refused`."""
        if self._channel is None:
            raise Refused([{"code": "no_worker", "message": f"worker {self.id} is {self.state}"}])
        number = next(self._numbers)
        self._questions[number] = asyncio.get_running_loop().create_future()
        asked = msgspec.json.encode(data if data is not None else {})
        self._channel.send(Ask(number, what, asked, folder))
        answer = await self._questions[number]
        if answer.problems is not None:
            raise Refused(msgspec.json.decode(answer.problems))
        return msgspec.json.decode(answer.data)

    def kill(self, why: Died) -> None:
        """End the process at once; its job is told why."""
        self._died = why
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def stop(self) -> None:
        """End the process: idle ones leave by themselves, others are killed."""
        self._stopping = True
        process = self._process
        if process is None:
            return
        if self._channel is not None and self.job is None:
            self._channel.send(Stop())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
        if process.returncode is None:
            self.kill(Died("stopped", "the server stops"))
            await process.wait()

    async def _one_life(self) -> None:
        self.state, self._died = "starting", None
        self.restarts += 1
        self.changed()
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "nodegraph.workers", str(theirs.fileno()),
                msgspec.json.encode(self.settings).decode(), pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        self._process, self.pid, self._heard = process, process.pid, time.monotonic()
        if self._stopping:  # it was asked to while the process was being made
            self.kill(Died("stopped", "the server stops"))
        reader, writer = await asyncio.open_connection(sock=ours)
        self._channel = Channel(reader, writer, decode_from_worker)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        listening = asyncio.create_task(self._listen(process.stdout))
        watching = asyncio.create_task(self._watch())
        while (message := await self._channel.receive()) is not None:
            self._handle(message)
        self._channel.close()
        if process.returncode is None and not self._stopping:
            with contextlib.suppress(TimeoutError):  # what closed its side is about to leave
                await asyncio.wait_for(process.wait(), 2)
            if process.returncode is None:
                self.kill(self._died or Died("crash", "it closed its connection"))
        await process.wait()
        watching.cancel()
        await listening
        self._bury("dead", self._died or _told(process.returncode or 0))

    def _handle(self, message: FromWorker) -> None:
        self._heard = time.monotonic()
        match message:
            case Happened():
                self._on_event(message)
            case Done() | Failed() | Cancelled():
                self._end(message)
            case Answer():
                future = self._questions.pop(message.id, None)
                if future is not None and not future.done():
                    future.set_result(message)
            case Holds():
                self.holds = message.models
            case Ready():
                self.state, self._failed_starts = "idle", 0
                self.changed()
            case _:
                pass  # a sign of life

    def _end(self, outcome: Outcome) -> None:
        future, self._outcome, self.job = self._outcome, None, None
        if self.state == "busy":
            self.state = "idle"
        if future is not None and not future.done():
            future.set_result(outcome)
        self.changed()

    def _bury(self, state: State, why: Died) -> None:
        """The process is gone: whoever waited for it is told."""
        if self.state == "starting":
            self._failed_starts += 1
        self.state, self._channel, self._process, self.pid, self.holds = state, None, None, None, ()
        self._printing = None
        questions, self._questions = self._questions, {}
        lost = msgspec.json.encode([{"code": "worker_died", "message": f"the worker died: {why.reason}"}])
        for number, future in questions.items():
            if not future.done():
                future.set_result(Answer(number, problems=lost))
        if not self._stopping:
            log.warning("worker %s died: %s", self.id, why.reason)
        if self._outcome is not None:
            self._end(why)
        else:
            self.changed()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """What the process prints goes to the log, with its job."""
        while line := await stream.readline():
            text = line.decode(errors="replace").rstrip()
            self.words.append(text)
            log.info("%s", text, extra={"worker": self.id, "job": self._printing})

    async def _watch(self) -> None:
        """Look for a loop that stands still, and for memory that grows too large."""
        while True:
            await asyncio.sleep(min(1.0, self._limits.silence / 4))
            silent = time.monotonic() - self._heard
            if self.state == "busy" and silent > self._limits.silence:
                self.kill(Died("hang", f"it gave no sign of life for {silent:.0f} seconds"))
                return
            taken = _memory_of(self.pid)
            if self._limits.memory is not None and taken > self._limits.memory:
                reason = f"it took {taken:,} bytes of memory, and {self._limits.memory:,} are allowed"
                self.kill(Died("memory", reason))
                return


class Refused(Exception):  # noqa: N818 - it is an answer
    """A worker cannot answer; `problems` as JSON data."""

    def __init__(self, problems: Sequence[Any]) -> None:
        super().__init__(str(problems))
        self.problems = list(problems)


class Pool:
    """The workers of one server, by id (`cpu-0`, `cuda:0-1` …)."""

    def __init__(
        self, settings: Sequence[WorkerSettings], limits: Limits, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.workers = {
            f"{each.device}-{number}": Worker(f"{each.device}-{number}", each, limits, changed)
            for number, each in enumerate(settings)
        }
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, changed: Callable[[], None]) -> None:
        """Call this whenever a worker is in another state."""
        for worker in self.workers.values():
            worker.changed = changed

    def start(self) -> None:
        """Start every worker, and keep them running."""
        self._tasks = [asyncio.create_task(worker.live()) for worker in self.workers.values()]

    async def close(self) -> None:
        """End every worker. Jobs that still run are told that the server stops."""
        await asyncio.gather(*(worker.stop() for worker in self.workers.values()))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def idle(self) -> list[Worker]:
        """The workers that can take a job now."""
        return [worker for worker in self.workers.values() if worker.state == "idle"]

    def running(self, job: str) -> Worker | None:
        """The worker that runs a job."""
        return next((worker for worker in self.workers.values() if worker.job == job), None)

    def any(self) -> Worker | None:
        """A worker that can answer questions; an idle one first."""
        ready = [worker for worker in self.workers.values() if worker.state in ("idle", "busy")]
        return min(ready, key=lambda worker: worker.state != "idle", default=None)


def _told(code: int) -> Died:
    if code >= 0:
        return Died("crash", f"it left with exit code {code}")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"):
        return Died("crash", f"it crashed ({name})")
    return Died("killed", f"it was killed ({name}), perhaps because memory ran out")


def _memory_of(pid: int | None) -> int:
    if pid is None:
        return 0
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
