"""Routes of files: pictures that jobs made, uploads, and what save nodes wrote."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import quote

import msgspec
from aiohttp import web

from nodegraph.errors import InputError
from nodegraph.jobs.uploads import Upload
from nodegraph.server.answers import HttpError, not_found
from nodegraph.server.routes.jobs import job_of
from nodegraph.server.routing import Reply, Routes
from nodegraph.server.state import services_of
from nodegraph.server.uploads import keep_picture
from nodegraph.wire.jobs import FileView
from nodegraph.wire.system import UploadQuery, Uploads, UploadView

routes = Routes("files")
_FILE = re.compile(r"[0-9a-f]{40}\.(png|jpg|webp)")
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
"""What is shown as it is; anything else is only handed out to be kept."""


UPLOADS = "uploads"
"""The folder among a user's pictures."""


@routes.post("/files", status=201, statuses=(200, 413, 415), takes="application/octet-stream")
async def upload_file(request: web.Request, query: UploadQuery) -> Reply[UploadView]:
    """Upload a picture: PNG, JPEG or WebP, as the body itself or as the one file of a form.

    `use_as` in the answer is what a node such as `image.load` takes as its file.
    """
    services, user = services_of(request), request["user"]
    data, called = await _uploaded(request)
    place = services.settings.folder_of(user) / "inputs" / UPLOADS
    kept = await asyncio.to_thread(keep_picture, place, data)
    known = await services.uploads.get(user, kept.file)
    await services.uploads.add(user, kept.file, query.name or called, kept.media_type, kept.size)
    made = await services.uploads.get(user, kept.file)
    assert made is not None  # noqa: S101 - it was added above
    return Reply(_view(made), 200 if known else 201, {"Location": f"/api/v1/files/{kept.file}"})


@routes.get("/files")
async def list_files(request: web.Request) -> Uploads:
    """The caller's uploads, the newest first."""
    found = await services_of(request).uploads.list(request["user"])
    return Uploads(files=[_view(one) for one in found])


@routes.get("/files/{name}", media="image/png", statuses=(206, 304, 416))
async def get_file(request: web.Request, name: str) -> web.StreamResponse:
    """A picture that one of the caller's jobs made, or that the caller uploaded. Ranges are answered."""
    return _sent(await _file_of(request, name), forever=True)


@routes.delete("/files/{name}", status=204)
async def forget_file(request: web.Request, name: str) -> None:
    """Forget an upload."""
    services, user = services_of(request), request["user"]
    if not _FILE.fullmatch(name) or not await services.uploads.remove(user, name):
        raise not_found("file", name)
    (services.settings.folder_of(user) / "inputs" / UPLOADS / name).unlink(missing_ok=True)


@routes.get("/files/{name}/workflow", media="application/json")
async def get_file_workflow(request: web.Request, name: str) -> web.Response:
    """The workflow inside a picture that nodegraph saved, seeds as they were used."""
    path = await _file_of(request, name)
    text = await services_of(request).planner.document_in(path)
    return web.Response(body=text, content_type="application/json")


@routes.get("/pictures/{name:.+}", media="image/png", statuses=(206, 304, 416))
async def get_picture(request: web.Request, name: str) -> web.StreamResponse:
    """A picture that a node can load, by the name that the vocabulary gives it."""
    path = await services_of(request).planner.picture(request["user"], name)
    if path is None:
        raise not_found("picture", name)
    return _sent(path)


@routes.get("/jobs/{job}/artifacts/{path:.+}", media="application/octet-stream", statuses=(206, 304, 416))
async def get_artifact(request: web.Request, job: str, path: str) -> web.StreamResponse:
    """A file that a save node of the job wrote, by its path in the answer of the job."""
    found = await job_of(request, job)
    result = msgspec.json.decode(found.result) if found.result is not None else {}
    if path not in [one["path"] for one in result.get("artifacts", [])]:
        raise not_found("artifact", path)
    outputs = (services_of(request).settings.folder_of(found.user) / "outputs").resolve()
    file = (outputs / path).resolve()
    if not file.is_relative_to(outputs) or not file.is_file():
        raise HttpError(
            404, f"'{path}' is not there any more", code="unknown_artifact",
            remedy="Run the job again: what it saved was moved or deleted.",
        )  # fmt: skip
    return _sent(file)


async def _file_of(request: web.Request, name: str) -> Path:
    """The path of a result or an upload of the caller."""
    services, user = services_of(request), request["user"]
    if _FILE.fullmatch(name):
        made = services.settings.data_dir / "files" / name[:2] / name
        uploaded = services.settings.folder_of(user) / "inputs" / UPLOADS / name
        if made.is_file() and await services.store.made(user, name):
            return made
        if uploaded.is_file() and await services.uploads.get(user, name) is not None:
            return uploaded
    raise not_found("file", name)


def _sent(path: Path, *, forever: bool = False) -> web.FileResponse:
    """A file as it is handed out: pictures to be shown, anything else only to be kept."""
    media_type = _TYPES.get(path.suffix.lower())
    headers = {"Content-Type": media_type or "application/octet-stream"}
    if media_type is None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(path.name)}"
    if forever:  # its name is that of its content
        headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return web.FileResponse(path, headers=headers)


async def _uploaded(request: web.Request) -> tuple[bytes, str]:
    """The bytes of an upload, and what it is called."""
    if request.content_type != "multipart/form-data":
        if request.content_type not in (*_TYPES.values(), "application/octet-stream"):
            raise HttpError(
                415, "the body is no picture", code="unsupported_media_type", found=request.content_type,
                expected="image/png, image/jpeg, image/webp, or a form with one file",
            )  # fmt: skip
        return await request.read(), ""
    try:
        form = await request.post()
    except (ValueError, AssertionError, RuntimeError, LookupError) as error:  # whatever the parser raises
        raise InputError(f"the form cannot be read: {error}", code="bad_request") from error
    files = [one for one in form.values() if isinstance(one, web.FileField)]
    if len(files) != 1 or len(form) != 1:
        raise InputError("the form has to hold one file", code="bad_request", found=f"{len(files)} files")
    return files[0].file.read(), files[0].filename


def _view(upload: Upload) -> UploadView:
    file = FileView(
        hash=upload.file.partition(".")[0], name=upload.file, media_type=upload.media_type,
        size=upload.size, url=f"/api/v1/files/{upload.file}",
    )  # fmt: skip
    return UploadView(
        file=file, called=upload.name, use_as=f"{UPLOADS}/{upload.file}", created=upload.created
    )
