"""Workflows that the server keeps: saved with revisions, run by their names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nodegraph.client.transport import Transport
from nodegraph.wire.jobs import JobView
from nodegraph.wire.workflows import (
    InterfaceView,
    RevisionItem,
    RevisionList,
    WorkflowItem,
    WorkflowList,
    WorkflowView,
)


class Workflows:
    """The saved workflows of one user, as `client.workflows`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, *, trashed: bool = False) -> Sequence[WorkflowItem]:
        """Your workflows by name, or those in the trash."""
        query = {"trashed": "true"} if trashed else None
        found = await self._transport.call("GET", _PLACE, WorkflowList, query=query)
        return found.workflows

    async def get(self, name: str, revision: int | None = None) -> WorkflowView:
        """A workflow with its document: the newest revision, or another one."""
        query = {"revision": str(revision)} if revision is not None else None
        return await self._transport.call("GET", _of(name), WorkflowView, query=query)

    async def save(
        self, name: str, document: Mapping[str, Any], *, base: WorkflowItem | None = None, note: str = ""
    ) -> WorkflowItem:
        """Save a document: a new workflow, or a revision of the one that it was made from (`base`).

        ServerError 409: the name is taken; 412: somebody else saved meanwhile.
        """
        headers = {"If-Match": f'"{base.tag}"'} if base is not None else None
        body = {"document": dict(document), "note": note}
        return await self._transport.call(
            "PUT", _of(name), WorkflowItem, body=body, headers=headers, again=False
        )

    async def revisions(self, name: str) -> Sequence[RevisionItem]:
        """All revisions, the newest first."""
        return (await self._transport.call("GET", f"{_of(name)}/revisions", RevisionList)).revisions

    async def interface(self, name: str) -> InterfaceView:
        """Its named inputs and outputs; `template:NAME` asks for a packaged workflow."""
        return await self._transport.call("GET", f"{_of(name)}/interface", InterfaceView)

    async def rename(self, name: str, new: str) -> WorkflowItem:
        """Another name. ServerError 409: it is taken."""
        body = {"name": new}
        return await self._transport.call("POST", f"{_of(name)}/rename", WorkflowItem, body=body, again=False)

    async def trash(self, name: str) -> None:
        """Put it into the trash."""
        async with self._transport.request("DELETE", _of(name)):
            pass

    async def restore(self, item: WorkflowItem, name: str | None = None) -> WorkflowItem:
        """Take a workflow out of the trash, under another name if one is given."""
        body = {"id": item.id, "name": name}
        return await self._transport.call("POST", f"{_PLACE}/restore", WorkflowItem, body=body, again=False)

    async def purge(self, item: WorkflowItem) -> None:
        """Delete a workflow in the trash for good, with all its revisions."""
        async with self._transport.request("DELETE", f"/api/v1/trash/{item.id}"):
            pass

    async def submit(self, name: str, inputs: Mapping[str, Any], *, wait: float = 0.0) -> JobView:
        """Run a saved workflow (or `template:NAME`) with its named inputs; the job."""
        query = {"idempotency_key": uuid.uuid4().hex}
        path = f"{_of(name)}/run"
        return await self._transport.call("POST", path, JobView, body=dict(inputs), query=query, wait=wait)


_PLACE = "/api/v1/workflows"


def _of(name: str) -> str:
    return f"{_PLACE}/{quote(name, safe=':')}"
