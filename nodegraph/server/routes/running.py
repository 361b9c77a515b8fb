"""Running a saved workflow as a function of its named inputs, and sweeps as groups of jobs."""

from __future__ import annotations

import uuid

import msgspec
from aiohttp import web

from nodegraph.errors import InputError, Problem, WorkflowError
from nodegraph.graph.sweep import Axis
from nodegraph.graph.sweep import cells as spanned
from nodegraph.server.answers import not_found
from nodegraph.server.planning import refuse_problems
from nodegraph.server.routes.jobs import new_job, refuse_webhook, submitted
from nodegraph.server.routes.workflows import document_of
from nodegraph.server.routing import Reply, Routes
from nodegraph.server.state import services_of
from nodegraph.server.views import view_of
from nodegraph.wire.jobs import GroupRequest, GroupView, JobView, RunOptions
from nodegraph.wire.workflows import NamedInputs, RunQuery

routes = Routes("workflows")
LARGEST = 1_000
"""Jobs of one group."""


@routes.post("/workflows/{name}/run", status=201, statuses=(200, 409, 503))
async def run_workflow(request: web.Request, name: str, query: RunQuery, body: NamedInputs) -> Reply[JobView]:
    """Run a saved workflow, or `template:NAME`: the body holds its named inputs."""
    document = await document_of(request, name)
    inputs = body.model_extra or {}
    wanted = RunOptions(inputs=inputs, **query.model_dump(exclude={"wait"}))
    await refuse_problems(services_of(request).planner, request["user"], document, wanted)
    wanted.title = wanted.title or name
    return await submitted(request, document, wanted, query.wait)


@routes.post("/groups", status=201, statuses=(503,))
async def submit_group(request: web.Request, body: GroupRequest) -> GroupView:
    """Run a workflow once for every cell of its axes. What cells share is computed once."""
    services = services_of(request)
    workflow = msgspec.json.encode(body.workflow)
    cells = [body.model_copy(update={"inputs": inputs, "idempotency_key": None}) for inputs in _cells(body)]
    for cell in cells:
        await refuse_problems(services.planner, request["user"], workflow, cell)
    refuse_webhook(services, body)
    group = uuid.uuid4().hex
    new = [new_job(request["user"], workflow, cell, group) for cell in cells]
    made = await services.dispatcher.submit(new)
    return _view(group, [view_of(job) for job, _ in made])


@routes.get("/groups/{group}")
async def get_group(request: web.Request, group: str) -> GroupView:
    """The jobs of a group, in the order of its cells."""
    jobs = await services_of(request).store.jobs(request["user"], group=group, limit=LARGEST)
    if not jobs:
        raise not_found("group", group)
    return _view(group, [view_of(job) for job in reversed(jobs)])


@routes.post("/groups/{group}/cancel", status=202)
async def cancel_group(request: web.Request, group: str) -> Reply[GroupView]:
    """Cancel all jobs of a group that are not over."""
    services = services_of(request)
    for job in await services.store.jobs(request["user"], group=group, limit=LARGEST):
        if not job.is_final:
            await services.dispatcher.cancel(job)
    return Reply(await get_group(request, group), 202)


def _cells(wanted: GroupRequest) -> list[dict[str, object]]:
    """The named inputs of every cell. WorkflowError: axes that do not go together, or too many cells."""
    try:
        made = spanned([Axis(axis.input, tuple(axis.values)) for axis in wanted.axes], wanted.mode)
    except InputError as error:
        raise WorkflowError([error.problem]) from error
    if len(made) > LARGEST:
        raise WorkflowError(
            [Problem("too_many_cells", f"the axes span {len(made)} cells", expected=f"at most {LARGEST}")]
        )
    return [{**wanted.inputs, **cell} for cell in made]


def _view(group: str, jobs: list[JobView]) -> GroupView:
    states: dict[str, int] = {}
    for job in jobs:
        states[job.state] = states.get(job.state, 0) + 1
    return GroupView.model_validate({"id": group, "jobs": jobs, "states": states})
