"""Routes of jobs: submit, list, look, cancel, change, and follow."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from pydantic import BaseModel, ValidationError

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.loading import parse_json
from nodegraph.jobs.records import Job, NewJob
from nodegraph.server.answers import HttpError, answer, not_found
from nodegraph.server.hub import Live
from nodegraph.server.state import SERVICES, Services
from nodegraph.server.views import view_of
from nodegraph.wire.jobs import JobChange, JobList, JobRequest, QueueChange, QueueView
from nodegraph.workers.pool import Refused

M = TypeVar("M", bound=BaseModel)
LONGEST_WAIT = 3600.0
BEAT = 15.0
"""Seconds between signs of life in a stream of events."""
routes = web.RouteTableDef()


async def body_of(request: web.Request, model: type[M]) -> M:
    """The body of a request, checked. HttpError or WorkflowError tell what is wrong with it."""
    if request.content_type != "application/json":
        raise HttpError(415, "the body is not application/json", code="unsupported_media_type")
    data = parse_json(await request.read())
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise WorkflowError(
            Problem("bad_request", one["msg"], input=".".join(map(str, one["loc"])) or None)
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ) from None


async def job_of(request: web.Request) -> Job:
    """The job in the path, if it is the caller's."""
    services, id_ = request.app[SERVICES], request.match_info["job"]
    job = await services.store.get(id_)
    if job is None or job.user != request["user"]:
        raise not_found("job", id_)
    return job


@routes.post("/api/v1/jobs")
async def submit(request: web.Request) -> web.Response:
    """Submit a workflow. It is durable before this answers."""
    services = request.app[SERVICES]
    wanted = await body_of(request, JobRequest)
    await _check(services, wanted)
    options = {"targets": wanted.targets, "previews": wanted.previews}
    new = NewJob(
        user=request["user"], document=msgspec.json.encode(wanted.workflow),
        inputs=msgspec.json.encode(wanted.inputs), options=msgspec.json.encode(options), title=wanted.title,
        priority=wanted.priority, key=wanted.idempotency_key, held=wanted.hold,
    )  # fmt: skip
    ((job, created),) = await services.dispatcher.submit([new])
    seconds = _seconds(request)
    if seconds:
        await services.dispatcher.wait(job.id, seconds)
        job = await services.store.get(job.id) or job
    return answer(view_of(job), 201 if created else 200, {"Location": f"/api/v1/jobs/{job.id}"})


@routes.get("/api/v1/jobs")
async def list_jobs(request: web.Request) -> web.Response:
    """The caller's jobs, the newest first."""
    before = request.query.get("before")
    if before is not None and not (before.isdecimal() and len(before) < 18):
        raise HttpError(422, "'before' is the number of a job", code="bad_request")
    found = await request.app[SERVICES].store.jobs(request["user"], before=int(before) if before else None)
    following = found[-1].number if len(found) == 100 else None
    return answer(JobList(jobs=[view_of(job) for job in found], before=following))


@routes.get("/api/v1/jobs/{job}")
async def get_job(request: web.Request) -> web.Response:
    """One job, with its place in the queue or its result."""
    job = await job_of(request)
    services = request.app[SERVICES]
    seconds = _seconds(request)
    if seconds:
        await services.dispatcher.wait(job.id, seconds)
        job = await services.store.get(job.id) or job
    order = [one.id for one in services.dispatcher.queue.order()]
    return answer(view_of(job, order.index(job.id) if job.id in order else None))


@routes.patch("/api/v1/jobs/{job}")
async def change(request: web.Request) -> web.Response:
    """Another priority, place or hold, while the job waits."""
    job, wanted = await job_of(request), await body_of(request, JobChange)
    dispatcher = request.app[SERVICES].dispatcher
    position = None
    if wanted.move is not None:
        before = "" if wanted.move.to == "front" else wanted.move.before
        position = dispatcher.queue.position_for(job.id, before=before, after=wanted.move.after)
        if position is None:
            raise HttpError(409, "both jobs must wait, and be yours", code="not_waiting")
    return answer(
        view_of(await dispatcher.change(job, held=wanted.hold, priority=wanted.priority, position=position))
    )


@routes.post("/api/v1/jobs/{job}/cancel")
async def cancel(request: web.Request) -> web.Response:
    """Stop a job. One that is over stays as it is."""
    return answer(view_of(await request.app[SERVICES].dispatcher.cancel(await job_of(request))), 202)


@routes.post("/api/v1/jobs/{job}/retry")
async def retry(request: web.Request) -> web.Response:
    """Submit a job that is over once more, as a new one."""
    job = await job_of(request)
    if not job.is_final:
        raise HttpError(409, "the job is not over", code="not_over")
    new = NewJob(
        user=job.user, document=job.document, inputs=job.inputs, options=job.options, title=job.title,
        priority=job.priority, group=job.group,
    )  # fmt: skip
    ((made, _),) = await request.app[SERVICES].dispatcher.submit([new])
    return answer(view_of(made), 201, {"Location": f"/api/v1/jobs/{made.id}"})


@routes.get("/api/v1/queue")
async def queue(request: web.Request) -> web.StreamResponse:
    """What runs and what waits, in the order in which it starts: the caller's own."""
    services, user = request.app[SERVICES], request["user"]
    waiting = [job.id for job in services.dispatcher.queue.order() if job.user == user]
    running = [job.id for job in await services.store.jobs(user, states=["running"])]
    return answer(QueueView(paused=services.dispatcher.paused, running=running, waiting=waiting))


@routes.patch("/api/v1/queue")
async def pause(request: web.Request) -> web.StreamResponse:
    """Pause or resume the whole queue: for the owner."""
    if request["user"] != "owner":
        raise HttpError(403, "only the owner pauses the queue", code="forbidden")
    wanted = await body_of(request, QueueChange)
    await request.app[SERVICES].dispatcher.pause(wanted.paused)
    return await queue(request)


@routes.get("/api/v1/jobs/{job}/events")
async def events(request: web.Request) -> web.StreamResponse:
    """The events of a job as they happen, those that were kept first; `Last-Event-ID` resumes."""
    job = await job_of(request)
    services = request.app[SERVICES]
    given = request.headers.get("Last-Event-ID", request.query.get("after", "0"))
    after = int(given) if given.isdecimal() and len(given) < 18 else 0
    listener = services.hub.listen(lambda event: event.job == job.id)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    try:
        after, over = await _replay(services, response, job.id, after)
        while not over:
            try:
                event = await asyncio.wait_for(listener.next(), BEAT)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event is None:  # it was too slow, and reads what it missed
                after, over = await _replay(services, response, job.id, after)
            elif event.seq > after or event.kind in ("progress", "preview", "hashing"):
                after = max(after, event.seq)
                over = await _send(response, event)
    finally:
        services.hub.leave(listener)
    return response


async def _replay(services: Services, response: web.StreamResponse, job: str, after: int) -> tuple[int, bool]:
    """Send what was kept after a number; the last number, and whether the job is over."""
    over = False
    while kept := await services.store.events(job, after):
        for one in kept:
            fields = msgspec.json.decode(one.data)
            over = await _send(response, Live(job, "", one.seq, one.kind, one.time, fields))
            after = one.seq
    return after, over


async def _send(response: web.StreamResponse, event: Live) -> bool:
    """Write an event; whether it is the last one."""
    data = msgspec.json.encode(event.to_json()).decode()
    number = "" if event.kind in ("progress", "preview", "hashing") else f"id: {event.seq}\n"
    await response.write(f"{number}event: {event.kind}\ndata: {data}\n\n".encode())
    final = ("done", "failed", "cancelled", "quarantined")
    return event.kind == "state" and event.fields.get("state") in final


async def _check(services: Services, wanted: JobRequest) -> None:
    """Refuse what cannot be run. Where no worker is ready yet, the job finds out itself."""
    worker = services.pool.any()
    if worker is None:
        return
    try:
        found = await worker.ask("check", {"workflow": wanted.workflow, "inputs": wanted.inputs})
    except Refused as refused:
        found = [one for one in refused.problems if one.get("code") not in ("no_worker", "worker_died")]
    if found:
        raise WorkflowError(Problem(**one) for one in found)


def _seconds(request: web.Request) -> float:
    """How long the caller wants to wait for the end. HttpError where that is no number."""
    text: Any = request.query.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise HttpError(422, f"'wait' is a number of seconds, at most {LONGEST_WAIT:.0f}", code="bad_request")
    return seconds
