"""Routes of named workflows: save with revisions, list, rename, trash, restore, delete for good."""

from __future__ import annotations

import re

import msgspec
from aiohttp import web

from nodegraph.jobs.workflows import ConflictError, Saved
from nodegraph.server.answers import HttpError, not_found
from nodegraph.server.routing import Reply, Routes, checked
from nodegraph.server.state import services_of
from nodegraph.wire.workflows import (
    InterfaceView,
    RenameRequest,
    RestoreRequest,
    RevisionItem,
    RevisionList,
    RevisionQuery,
    SaveRequest,
    TemplateList,
    WorkflowItem,
    WorkflowList,
    WorkflowsQuery,
    WorkflowView,
)

routes = Routes("workflows")


async def workflow_of(request: web.Request, name: str) -> Saved:
    """The caller's workflow of that name."""
    found = await services_of(request).workflows.get(request["user"], name)
    if found is None:
        raise not_found("workflow", name)
    return found


async def document_of(request: web.Request, name: str, revision: int | None = None) -> bytes:
    """The document of a saved workflow, or of `template:NAME`, as JSON."""
    if name.startswith("template:"):
        return await services_of(request).planner.text_of(name)
    document = await services_of(request).workflows.document(await workflow_of(request, name), revision)
    if document is None:
        raise not_found("revision", str(revision))
    return document


@routes.get("/workflows")
async def list_workflows(request: web.Request, query: WorkflowsQuery) -> WorkflowList:
    """The caller's workflows by name, or those in the trash."""
    found = await services_of(request).workflows.list(request["user"], trashed=query.trashed)
    return WorkflowList(workflows=[_item(one) for one in found])


@routes.get("/templates")
async def list_templates(request: web.Request) -> TemplateList:
    """The workflows that come with packs; they run as `template:NAME`."""
    return TemplateList(templates=await services_of(request).planner.templates())


@routes.get("/templates/{name}", media="application/json")
async def get_template(request: web.Request, name: str) -> web.Response:
    """The document of a template, to begin with."""
    if name not in [one.name for one in await services_of(request).planner.templates()]:
        raise not_found("template", name)
    text = await services_of(request).planner.text_of(f"template:{name}")
    return web.Response(body=text, content_type="application/json")


@routes.get("/templates/{name}/picture", media="image/webp", statuses=(206, 304, 416))
async def get_template_picture(request: web.Request, name: str) -> web.StreamResponse:
    """A picture that the template made."""
    picture = await services_of(request).planner.template_picture(name)
    if picture is None:
        raise not_found("picture", name)
    return web.FileResponse(picture, headers={"Content-Type": "image/webp"})


@routes.get("/workflows/{name}")
async def get_workflow(request: web.Request, name: str, query: RevisionQuery) -> Reply[WorkflowView]:
    """A workflow with its document: the newest revision, or another one."""
    found = await workflow_of(request, name)
    document = await document_of(request, name, query.revision)
    view = WorkflowView(
        **_item(found).model_dump(exclude={"revision"}), newest=found.revision,
        revision=query.revision or found.revision, document=msgspec.json.decode(document),
    )  # fmt: skip
    return Reply(view, headers={"ETag": f'"{found.tag}"'})


@routes.put("/workflows/{name}", statuses=(201, 409, 412, 428))
async def save_workflow(request: web.Request, name: str, body: SaveRequest) -> Reply[WorkflowItem]:
    """Save a revision, written canonically.

    A new workflow: without `If-Match`. Another revision: `If-Match` with the ETag of what it was made from;
    412 where somebody else saved meanwhile. A document that cannot run yet can be saved.
    """
    services = services_of(request)
    text = await services.planner.canonical(body.document)
    try:
        saved, created = await services.workflows.save(
            request["user"], checked_name(name), text, base=_base(request), note=body.note
        )
    except ConflictError as error:
        raise _conflict(error, given=_base(request)) from error
    return Reply(_item(saved), 201 if created else 200, {"ETag": f'"{saved.tag}"'})


@routes.get("/workflows/{name}/revisions")
async def list_revisions(request: web.Request, name: str) -> RevisionList:
    """All revisions, the newest first."""
    found = await services_of(request).workflows.revisions(await workflow_of(request, name))
    return RevisionList(revisions=[RevisionItem(**msgspec.structs.asdict(one)) for one in found])


@routes.get("/workflows/{name}/interface")
async def get_interface(request: web.Request, name: str) -> InterfaceView:
    """A saved workflow, or `template:NAME`, as a function: its named inputs and outputs."""
    return await services_of(request).planner.interface(await document_of(request, name))


@routes.post("/workflows/{name}/rename", statuses=(409,))
async def rename_workflow(request: web.Request, name: str, body: RenameRequest) -> WorkflowItem:
    """Another name; revisions come along."""
    renamed = await services_of(request).workflows.rename(await workflow_of(request, name), body.name)
    return _item(renamed)


@routes.delete("/workflows/{name}", status=204)
async def trash_workflow(request: web.Request, name: str) -> None:
    """Put a workflow into the trash, from which it can be restored."""
    await services_of(request).workflows.trash(await workflow_of(request, name))


@routes.post("/workflows/restore", statuses=(404, 409))
async def restore_workflow(request: web.Request, body: RestoreRequest) -> WorkflowItem:
    """Take a workflow out of the trash."""
    restored = await services_of(request).workflows.restore(request["user"], body.id, body.name)
    if restored is None:
        raise not_found("workflow", str(body.id))
    return _item(restored)


@routes.delete("/trash/{id}", status=204)
async def purge_workflow(request: web.Request, id: str) -> None:
    """Delete a workflow in the trash for good, with all its revisions."""
    number = int(id) if re.fullmatch("[0-9]{1,15}", id) else 0
    if not await services_of(request).workflows.purge(request["user"], number):
        raise not_found("workflow in the trash", id)


def checked_name(name: str) -> str:
    """A name from the path, by the rules of names. WorkflowError where it is none."""
    return checked(RenameRequest, {"name": name}).name


def _base(request: web.Request) -> str | None:
    """The tag of what a document was made from."""
    given = request.headers.get("If-Match")
    return given.strip().removeprefix("W/").strip('"') if given is not None else None


def _conflict(error: ConflictError, given: str | None) -> HttpError:
    problem = error.problem
    status = 412 if given is not None else 409
    return HttpError(status, problem.message, code=problem.code, remedy=problem.remedy, found=problem.found)


def _item(saved: Saved) -> WorkflowItem:
    return WorkflowItem(
        id=saved.id, name=saved.name, revision=saved.revision, tag=saved.tag, created=saved.created,
        updated=saved.updated, trashed=saved.trashed, size=saved.size,
    )  # fmt: skip
