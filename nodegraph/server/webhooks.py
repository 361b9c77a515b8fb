"""Webhooks: a job that is over is told to the address that its submitter named, at least once.

What has to be delivered is written with the end of the job, in one transaction; what fails is tried again
with growing pauses. The body is the job as the API shows it, signed with the submitter's secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from nodegraph import __version__
from nodegraph.jobs.records import Job
from nodegraph.jobs.store import JobStore
from nodegraph.server.tokens import OWNER
from nodegraph.server.views import view_of

log = logging.getLogger(__name__)
TRIES = 8
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 3600.0
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class PublicOnly(AbstractResolver):
    """Resolves no name that leads to this machine or its network: users must not reach what it reaches."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """The public addresses of a host. OSError: it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if ipaddress.ip_address(one["host"]).is_global]
        if not public:
            raise OSError(f"{host} is no public address")
        return public

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()


class Webhooks:
    """Delivers what is due, one after the other."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.delivered = 0
        self.given_up = 0

    def start(self) -> None:
        """Begin, with what the last process left."""
        self._wake.set()
        self._task = asyncio.create_task(self._work(), name="webhooks")

    async def stop(self) -> None:
        """End; what is not delivered waits for the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """A job is over that may have a webhook."""
        self._wake.set()

    async def _work(self) -> None:
        while True:
            pause = await self._deliver_due()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    async def _deliver_due(self) -> float | None:
        """Deliver what is due; seconds until something else is, or None."""
        while (following := await self._store.next_delivery()) is not None:
            job, tries, due = following
            if due > time.time():
                return min(LONGEST_PAUSE, due - time.time())
            if await self._post(job):
                self.delivered += 1
                await self._store.end_delivery(job.id)
            elif tries + 1 >= TRIES:
                self.given_up += 1
                log.warning("webhook given up after %d tries", TRIES, extra={"job": job.id})
                await self._store.end_delivery(job.id)
            else:
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 4**tries)
                await self._store.put_off_delivery(job.id, time.time() + pause)
        return None

    async def _post(self, job: Job) -> bool:
        """Whether the address took it."""
        hook = msgspec.json.decode(job.options)["webhook"]
        body = view_of(job).model_dump_json().encode()
        headers = {
            "Content-Type": "application/json", "User-Agent": f"nodegraph/{__version__}",
            "Nodegraph-Signature": signature(hook["secret"], body, int(time.time())),
            "Nodegraph-Job": job.id,
        }  # fmt: skip
        resolver = PublicOnly() if job.user != OWNER else None
        try:
            if job.user != OWNER:
                refuse_literal(hook["url"])
            connector = aiohttp.TCPConnector(resolver=resolver)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
                session.post(hook["url"], data=body, headers=headers, allow_redirects=False) as answered,
            ):
                if answered.status < 300:
                    return True
                log.info("webhook answered %d", answered.status, extra={"job": job.id})
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.info("webhook failed: %s", error, extra={"job": job.id})
        return False


def signature(secret: str, body: bytes, seconds: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY` under the secret."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def refuse_literal(url: str) -> None:
    """OSError where the URL holds an address that is not public; names are for the resolver."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not address.is_global:
        raise OSError(f"{host} is no public address")
