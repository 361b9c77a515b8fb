"""Routes of jobs: submit, list, look, cancel, change, retry, forget."""

from __future__ import annotations

import msgspec
from aiohttp import web

from nodegraph.jobs.records import Job, NewJob
from nodegraph.server.answers import HttpError, not_found
from nodegraph.server.planning import refuse_problems
from nodegraph.server.routing import Reply, Routes
from nodegraph.server.state import Services, services_of
from nodegraph.server.views import view_of
from nodegraph.wire.jobs import (
    JobChange,
    JobList,
    JobRequest,
    JobsQuery,
    JobView,
    RunOptions,
    WaitQuery,
)

routes = Routes("jobs")


async def job_of(request: web.Request, id_: str) -> Job:
    """The job, if it is the caller's."""
    job = await services_of(request).store.get(id_)
    if job is None or job.user != request["user"]:
        raise not_found("job", id_)
    return job


@routes.post("/jobs", status=201, statuses=(200, 409, 503))
async def submit(request: web.Request, query: WaitQuery, body: JobRequest) -> Reply[JobView]:
    """Submit a workflow. It is durable before this answers."""
    workflow = msgspec.json.encode(body.workflow)
    await refuse_problems(services_of(request).planner, request["user"], workflow, body)
    return await submitted(request, workflow, body, query.wait)


async def submitted(request: web.Request, workflow: bytes, wanted: RunOptions, wait: float) -> Reply[JobView]:
    """A job for a workflow that was checked; 200 where the idempotency key names an earlier one."""
    services = services_of(request)
    refuse_webhook(services, wanted)
    new = new_job(request["user"], workflow, wanted)
    ((job, created),) = await services.dispatcher.submit([new])
    if wait:
        await services.dispatcher.wait(job.id, wait)
        job = await services.store.get(job.id) or job
    return Reply(view_of(job), 201 if created else 200, {"Location": f"/api/v1/jobs/{job.id}"})


def refuse_webhook(services: Services, wanted: RunOptions) -> None:
    """HttpError where a webhook is wanted of a server that calls nobody."""
    if wanted.webhook is not None and services.settings.offline:
        raise HttpError(
            422, "this server is offline and calls no webhooks", code="offline", input="webhook",
            remedy="Leave the webhook out, and follow the job's events.",
        )  # fmt: skip


def new_job(user: str, workflow: bytes, wanted: RunOptions, group: str | None = None) -> NewJob:
    """What is kept of a request to run a workflow (JSON)."""
    options = {
        "targets": wanted.targets, "previews": wanted.previews,
        "webhook": wanted.webhook.model_dump(mode="json") if wanted.webhook is not None else None,
    }  # fmt: skip
    return NewJob(
        user=user, document=workflow, inputs=msgspec.json.encode(wanted.inputs),
        options=msgspec.json.encode(options), title=wanted.title, priority=wanted.priority,
        key=wanted.idempotency_key, held=wanted.hold, group=group, hidden=wanted.hidden,
    )  # fmt: skip


@routes.get("/jobs")
async def list_jobs(request: web.Request, query: JobsQuery) -> JobList:
    """The caller's jobs, the newest first: 100 at a time, those before a number or of a group."""
    states = [query.state] if query.state is not None else []
    found = await services_of(request).store.jobs(
        request["user"], before=query.before, group=query.group, states=states, limit=query.limit,
        hidden=query.hidden,
    )  # fmt: skip
    following = found[-1].number if len(found) == query.limit else None
    return JobList(jobs=[view_of(job) for job in found], before=following)


@routes.get("/jobs/{job}")
async def get_job(request: web.Request, job: str, query: WaitQuery) -> JobView:
    """One job, with its place in the queue or its result; `wait` waits for its end."""
    found = await job_of(request, job)
    services = services_of(request)
    if query.wait:
        await services.dispatcher.wait(found.id, query.wait)
        found = await services.store.get(found.id) or found
    place = services.dispatcher.queue.place(found.id)
    return view_of(found, place, services.progress.of(found.id))


@routes.patch("/jobs/{job}", statuses=(409,))
async def change_job(request: web.Request, job: str, body: JobChange) -> JobView:
    """Another priority, place or hold, while the job waits."""
    found = await job_of(request, job)
    dispatcher = services_of(request).dispatcher
    position = None
    if body.move is not None:
        before = "" if body.move.to == "front" else body.move.before
        position = dispatcher.queue.position_for(found.id, before=before, after=body.move.after)
        if position is None:
            raise HttpError(409, "both jobs must wait, and be yours", code="not_waiting")
    return view_of(await dispatcher.change(found, held=body.hold, priority=body.priority, position=position))


@routes.post("/jobs/{job}/cancel", status=202)
async def cancel_job(request: web.Request, job: str) -> Reply[JobView]:
    """Stop a job. One that is over stays as it is."""
    return Reply(view_of(await services_of(request).dispatcher.cancel(await job_of(request, job))), 202)


@routes.post("/jobs/{job}/retry", status=201, statuses=(409,))
async def retry_job(request: web.Request, job: str) -> Reply[JobView]:
    """Submit a job that is over once more, as a new one."""
    found = await job_of(request, job)
    if not found.is_final:
        raise HttpError(409, "the job is not over", code="not_over")
    new = NewJob(
        user=found.user, document=found.document, inputs=found.inputs, options=found.options,
        title=found.title, priority=found.priority, group=found.group, hidden=bool(found.hidden),
    )  # fmt: skip
    ((made, _),) = await services_of(request).dispatcher.submit([new])
    return Reply(view_of(made), 201, {"Location": f"/api/v1/jobs/{made.id}"})


@routes.delete("/jobs/{job}", status=204, statuses=(409,))
async def forget_job(request: web.Request, job: str) -> None:
    """Forget a job that is over, with its events. Files that it saved stay."""
    found = await job_of(request, job)
    if not await services_of(request).store.delete(found.id):
        raise HttpError(409, "the job is not over", code="not_over", remedy="Cancel it first.")


@routes.get("/jobs/{job}/workflow", media="application/json")
async def get_job_workflow(request: web.Request, job: str) -> web.Response:
    """The document that the job runs, as it was submitted."""
    found = await job_of(request, job)
    text = found.document
    if text.startswith(b'"'):  # template:NAME
        text = await services_of(request).planner.text_of(msgspec.json.decode(text))
    return web.Response(body=text, content_type="application/json")
