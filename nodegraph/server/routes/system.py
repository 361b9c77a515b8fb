"""Routes about the server: catalogue, check, memory, workers."""

from __future__ import annotations

import hashlib

import msgspec
from aiohttp import web

from nodegraph import __version__
from nodegraph.modelfiles.kinds import MODEL_KINDS
from nodegraph.server.answers import HttpError
from nodegraph.server.guard import only_owner
from nodegraph.server.metrics import exposition
from nodegraph.server.routing import Reply, Routes
from nodegraph.server.state import services_of
from nodegraph.wire.system import (
    Catalogue,
    CheckRequest,
    CheckView,
    MemoryView,
    ModelItem,
    ModelList,
    ModelsQuery,
    SystemView,
    VocabularyView,
    WorkerView,
)
from nodegraph.workers.pool import Refused

routes = Routes("system")


@routes.get("/nodes", statuses=(304,))
async def list_nodes(request: web.Request) -> Reply[Catalogue] | web.Response:
    """Every node type, with schemas of its inputs. `ETag` and `If-None-Match` save sending it again."""
    types = await services_of(request).planner.catalogue()
    tag = f'"{hashlib.blake2b(msgspec.json.encode(types), digest_size=12).hexdigest()}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    body = msgspec.json.encode(types)
    return web.Response(body=body, content_type="application/json", headers={"ETag": tag})


@routes.get("/models")
async def list_models(request: web.Request, query: ModelsQuery) -> ModelList:
    """The model files that loaders find, by kind and name."""
    if query.kind is not None and query.kind not in MODEL_KINDS:
        raise HttpError(
            422, f"there is no kind '{query.kind}' of models", code="bad_request", input="kind",
            expected=", ".join(MODEL_KINDS),
        )  # fmt: skip
    planner = services_of(request).planner
    found = await planner.models(query.kind)
    families = await planner.families(found) if query.families else [None] * len(found)
    items = [
        ModelItem(kind=one.kind, name=one.name, size=one.size, hash=one.hash, family=family)
        for one, family in zip(found, families, strict=True)
    ]
    return ModelList(models=items)


@routes.get("/vocabulary")
async def get_vocabulary(request: web.Request) -> VocabularyView:
    """The names that inputs may be given: samplers and other choices, and files by kind."""
    told = await services_of(request).planner.vocabulary(request["user"])
    return VocabularyView.model_validate(told)


@routes.post("/check")
async def check_workflow(request: web.Request, body: CheckRequest) -> CheckView:
    """All problems of a workflow and, where there are none, its plan. Nothing is queued."""
    planner, workflow = services_of(request).planner, msgspec.json.encode(body.workflow)
    found = await planner.check(request["user"], workflow, body.inputs, body.targets)
    if found:
        return CheckView.model_validate({"problems": [msgspec.to_builtins(one) for one in found]})
    return CheckView.model_validate(await planner.plan(request["user"], workflow, body.inputs, body.targets))


@routes.get("/memory")
async def get_memory(request: web.Request) -> MemoryView:
    """Every held byte of every worker, with owner and reason: for the owner."""
    only_owner(request, "sees what workers hold")
    found = {}
    for worker in services_of(request).pool.workers.values():
        if worker.state in ("idle", "busy"):
            try:
                found[worker.id] = await worker.ask("explain")
            except Refused:  # it died meanwhile
                continue
    return MemoryView.model_validate(found)


@routes.delete("/memory")
async def clear_cache(request: web.Request) -> Reply[MemoryView]:
    """Forget all results that workers keep, in memory and on disk: for the owner."""
    only_owner(request, "clears what workers hold")
    for worker in services_of(request).pool.workers.values():
        if worker.state in ("idle", "busy"):
            try:
                await worker.ask("clear")
            except Refused as refused:
                raise HttpError(503, "a worker died meanwhile", code="worker_died") from refused
    return Reply(await get_memory(request))


@routes.get("/metrics", media="text/plain")
async def get_metrics(request: web.Request) -> web.Response:
    """Figures in Prometheus' text format: for the owner."""
    only_owner(request, "sees the figures of all users")
    body = await exposition(services_of(request))
    return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


@routes.get("/system")
async def get_system(request: web.Request) -> SystemView:
    """The workers, and how many of the caller's jobs there are in every state."""
    services, user = services_of(request), request["user"]
    mine = {job.id for job in await services.store.jobs(user, states=["running"])}
    workers = [
        WorkerView(
            id=worker.id, state=worker.state, device=worker.settings.device,
            restarts=max(0, worker.restarts), job=worker.job if worker.job in mine else None,
        )
        for worker in services.pool.workers.values()
    ]  # fmt: skip
    return SystemView(
        version=__version__, user=user, offline=services.settings.offline, workers=workers,
        jobs=await services.store.counts(user),
    )  # fmt: skip
