"""All endpoints of the server."""

from __future__ import annotations

from nodegraph.server.routes import files, following, jobs, pages, queue, running, socket, system, workflows

PARTS = (pages, jobs, following, queue, files, workflows, running, socket, system)
ENDPOINTS = tuple(endpoint for part in PARTS for endpoint in part.routes.endpoints)
