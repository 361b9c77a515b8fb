"""The client: one method for each thing that the server does."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from nodegraph.client.address import PORT, Address, address_of, found_address, local_token
from nodegraph.client.errors import JobCancelledError, JobFailedError
from nodegraph.client.events import FINAL, follow
from nodegraph.client.files import download, read_picture
from nodegraph.client.patience import Patience
from nodegraph.client.transport import Transport
from nodegraph.client.workflows import Workflows
from nodegraph.wire.events import JobEvent
from nodegraph.wire.jobs import ArtifactView, FileView, GroupView, JobList, JobView, Move, QueueView
from nodegraph.wire.system import CheckView, SystemView, UploadView

T = TypeVar("T")
_TURN = 300.0
"""Seconds that one request waits for the end of a job; then it is asked again."""


class Client:
    """A server, as `async with Client(url, token) as client:`.

    url: its address; the one that `nodegraph serve` prints holds the token too. patience: how a broken
    connection is tried again. A server that has never answered is not waited for; one that has is, since it
    may just be started anew. What may reach the server twice without harm is sent again then.

    All methods raise ServerError where the server refuses or fails, and UnreachableError where it cannot be
    reached.
    """

    def __init__(self, url: str, token: str | None = None, *, patience: Patience | None = None) -> None:
        """InputError: this is no address, or there is no token."""
        self._transport = Transport(address_of(url, token), patience or Patience())

    @classmethod
    def local(
        cls, data_dir: Path | str | None = None, *, port: int = PORT, patience: Patience | None = None
    ) -> Self:
        """The server on this machine that keeps its data there (default: the system's place).

        InputError: no server was ever started with that data directory.
        """
        return cls(f"http://127.0.0.1:{port}", local_token(data_dir), patience=patience)

    @classmethod
    def from_environment(
        cls,
        url: str | None = None,
        token: str | None = None,
        data_dir: Path | str | None = None,
        *,
        patience: Patience | None = None,
    ) -> Self:
        """What is not given comes from NODEGRAPH_SERVER, NODEGRAPH_TOKEN, NODEGRAPH_DATA; else it is local.

        The data directory's token is only sent to this machine. InputError: there is no token.
        """
        found: Address = found_address(url, token, data_dir)
        return cls(found.url, found.token, patience=patience)

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._transport.url

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    async def submit(
        self,
        workflow: Mapping[str, Any] | str,
        inputs: Mapping[str, Any] | None = None,
        *,
        targets: Sequence[str] | None = None,
        priority: int = 0,
        title: str = "",
        idempotency_key: str | None = None,
        previews: bool = False,
        hold: bool = False,
        wait: float = 0.0,
    ) -> JobView:
        """Submit a workflow: the document as data, or `template:NAME`. The job is durable when this returns.

        inputs: values of its named inputs; targets: outputs or nodes to run for (default: all); priority:
        -100 to 100, higher ones start first; hold: wait until it is released; previews: send unfinished
        pictures with the events; wait: seconds to wait for the end, at most 3600. Submitting twice with the
        same idempotency key makes one job; without one there is a new one for every call.
        """
        body = {
            "workflow": workflow if isinstance(workflow, str) else dict(workflow),
            "inputs": dict(inputs or {}),
            "targets": list(targets) if targets is not None else None,
            "priority": priority, "title": title, "previews": previews, "hold": hold,
            "idempotency_key": idempotency_key or uuid.uuid4().hex,
        }  # fmt: skip
        return await self._call("POST", "/jobs", JobView, body=body, wait=wait)

    async def job(self, id: str, *, wait: float = 0.0) -> JobView:
        """A job as it is now, or when it is over: that is waited for as many seconds (at most 3600)."""
        return await self._call("GET", _job(id), JobView, wait=wait)

    async def jobs(self, *, before: int | None = None) -> AsyncIterator[JobView]:
        """Your jobs, the newest first, read page by page; before: those with lower numbers only."""
        while True:
            query = {"before": str(before)} if before is not None else None
            page = await self._call("GET", "/jobs", JobList, query=query)
            for job in page.jobs:
                yield job
            before = page.before
            if before is None:
                return

    async def cancel(self, id: str) -> JobView:
        """Stop a job: at once while it waits, else soon after. One that is over stays as it is."""
        return await self._call("POST", f"{_job(id)}/cancel", JobView)

    async def retry(self, id: str) -> JobView:
        """Submit a job that is over once more; the new job. Not sent again after a broken connection."""
        return await self._call("POST", f"{_job(id)}/retry", JobView, again=False)

    async def change(
        self,
        id: str,
        *,
        priority: int | None = None,
        hold: bool | None = None,
        move: Move | None = None,
    ) -> JobView:
        """Another priority, hold or place, while the job waits. What is None stays."""
        fields = {
            "priority": priority,
            "hold": hold,
            "move": move.model_dump(exclude_none=True) if move is not None else None,
        }
        body = {name: value for name, value in fields.items() if value is not None}
        return await self._call("PATCH", _job(id), JobView, body=body)

    async def queue(self) -> QueueView:
        """What runs and what waits, in the order in which it starts: yours."""
        return await self._call("GET", "/queue", QueueView)

    async def pause(self, paused: bool = True) -> QueueView:
        """Start no more jobs, or (False) go on. What runs is not touched. For the owner."""
        return await self._call("PATCH", "/queue", QueueView, body={"paused": paused})

    def events(self, id: str, *, after: int = 0) -> AsyncGenerator[JobEvent, None]:
        """The events of a job as they happen, until it is over; those that were kept come first.

        after: the number of the last event that is known already. A broken connection is made again where
        it broke: no kept event is missed or told twice, also when the server was started anew in between.
        """

        async def is_over() -> bool:
            return (await self.job(id)).state in FINAL

        return follow(self._transport, id, after, is_over)

    async def finish(self, id: str) -> JobView:
        """Wait for the end of a job. JobFailedError, JobCancelledError: it ended otherwise than `done`."""
        job = await self.job(id)
        while job.state not in FINAL:
            job = await self.job(id, wait=_TURN)
        if job.state == "cancelled":
            raise JobCancelledError(job)
        if job.state != "done":
            raise JobFailedError(job)
        return job

    async def run(self, workflow: Mapping[str, Any] | str, /, **inputs: Any) -> JobView:
        """Submit a workflow with its named inputs and wait for the end; see `submit` and `finish`."""
        return await self.finish((await self.submit(workflow, inputs)).id)

    async def download(self, file: FileView | ArtifactView | str, target: Path | str) -> Path:
        """Write a file of the server (or of its address) to a path, whole or not at all; the path.

        Size and content are compared with what the server told. InputError: it cannot be written there.
        """
        await download(self._transport, file, Path(target))
        return Path(target)

    async def upload(self, picture: Path | str | bytes, name: str = "") -> UploadView:
        """Upload a picture (PNG, JPEG or WebP); its `use_as` is what `image.load` takes as its file.

        ServerError 422: it is no sound picture. InputError: the file cannot be read.
        """
        data = picture if isinstance(picture, bytes) else read_picture(Path(picture))
        called = name or (Path(picture).name if not isinstance(picture, bytes) else "")
        return await self._transport.call(
            "POST", "/api/v1/files", UploadView, data=data, query={"name": called[:200]},
            headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip

    async def check(
        self, workflow: Mapping[str, Any] | str, inputs: Mapping[str, Any] | None = None
    ) -> CheckView:
        """All problems of a workflow or, where there are none, its plan. Nothing is queued."""
        body = {"workflow": workflow, "inputs": dict(inputs or {})}
        return await self._call("POST", "/check", CheckView, body=body)

    async def sweep(
        self,
        workflow: Mapping[str, Any] | str,
        axes: Mapping[str, Sequence[Any]],
        inputs: Mapping[str, Any] | None = None,
        *,
        mode: Literal["grid", "zip"] = "grid",
    ) -> GroupView:
        """Run a workflow once for every cell of its axes: named inputs and the values that they take."""
        listed = [{"input": name, "values": list(values)} for name, values in axes.items()]
        body = {"workflow": workflow, "inputs": dict(inputs or {}), "axes": listed, "mode": mode}
        return await self._call("POST", "/groups", GroupView, body=body, again=False)

    async def group(self, id: str) -> GroupView:
        """The jobs of a sweep, in the order of its cells."""
        return await self._call("GET", f"/groups/{quote(id, safe='')}", GroupView)

    @property
    def workflows(self) -> Workflows:
        """The workflows that the server keeps for you."""
        return Workflows(self._transport)

    async def system(self) -> SystemView:
        """The server's version and workers, and how many jobs there are in every state."""
        return await self._call("GET", "/system", SystemView)

    async def nodes(self) -> list[dict[str, Any]]:
        """Every node type that the server has, with the schemas of its inputs."""
        return await self._call("GET", "/nodes", list[dict[str, Any]])

    async def _call(
        self,
        method: str,
        path: str,
        model: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        wait: float = 0.0,
        again: bool = True,
    ) -> T:
        """Call a route below `/api/v1`; the answer as a model. All methods that read JSON go through here."""
        return await self._transport.call(
            method, f"/api/v1{path}", model, body=body, query=query, wait=wait, again=again
        )


def _job(id: str) -> str:
    return f"/jobs/{quote(id, safe='')}"
