"""The OpenAPI 3.1 document, made of the same models by which requests are checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from nodegraph import __version__
from nodegraph.server.routing import Endpoint
from nodegraph.wire.events import AnyEvent, Snapshot
from nodegraph.wire.problems import ProblemDetails

_REF = "#/components/schemas/{model}"
_TOLD = {
    101: "Goes on as a WebSocket.", 200: "Done.", 201: "Made.", 202: "Accepted.",
    204: "Done; there is nothing to say.", 206: "A part of it.", 303: "Goes on elsewhere.",
    304: "Not changed.", 400: "The request is broken.", 401: "There is no valid token.",
    403: "Not for this caller.", 404: "There is no such thing.", 405: "Not with this method.",
    409: "It is not in the state for this.", 412: "Somebody changed it meanwhile.", 413: "Too large.",
    415: "Of another media type.", 416: "There is no such part.", 422: "What was sent cannot be used.",
    428: "It has to be said which revision is meant.", 503: "Not now.",
}  # fmt: skip


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole API. Deterministic: equal endpoints give an equal document."""
    models = sorted(_models(endpoints), key=lambda model: model.__name__)
    wanted = [(model, _mode(model)) for model in models]
    refs, definitions = models_json_schema(wanted, ref_template=_REF)
    schemas = {model: refs[(model, mode)] for model, mode in wanted}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.plain_path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "nodegraph", "version": __version__,
            "description": "Workflows as durable jobs. Errors are problem details (RFC 9457).",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(definitions.get("$defs", {}).items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _models(endpoints: Iterable[Endpoint]) -> set[type[BaseModel]]:
    """All models of bodies and answers; those of events besides, which no schema can name."""
    found: set[type[BaseModel]] = {ProblemDetails, AnyEvent, Snapshot}
    for endpoint in endpoints:
        found.update(model for model in (endpoint.body, endpoint.answer) if model is not None)
    return found


def _mode(model: type[BaseModel]) -> Any:
    """Requests are described as what may be sent, answers as what is."""
    from nodegraph.wire.jobs import Request

    return "validation" if issubclass(model, Request) else "serialization"


def _operation(endpoint: Endpoint, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    text = (endpoint.handler.__doc__ or "").strip()
    found: dict[str, Any] = {
        "operationId": endpoint.handler.__name__, "tags": [endpoint.tag], "summary": text.splitlines()[0],
        "description": "\n".join(line.strip() for line in text.splitlines()),
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": _responses(endpoint, schemas),
        "security": [] if endpoint.is_open else [{"token": []}],
    }  # fmt: skip
    if endpoint.body is not None:
        content = {"application/json": {"schema": schemas[endpoint.body]}}
        found["requestBody"] = {"required": True, "content": content}
    elif endpoint.takes is not None:
        binary = {"schema": {"type": "string", "format": "binary"}}
        found["requestBody"] = {"required": True, "content": {endpoint.takes: binary}}
    return found


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in endpoint.parameters
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema()
    return [
        {
            "name": name, "in": "query", "required": name in schema.get("required", []),
            "description": described.get("description", ""),
            "schema": {key: value for key, value in described.items() if key not in ("description", "title")},
        }
        for name, described in schema.get("properties", {}).items()
    ]  # fmt: skip


def _responses(endpoint: Endpoint, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status in (endpoint.status, *(one for one in endpoint.statuses if one < 400)):
        told[str(status)] = {"description": _TOLD[status], **_content(endpoint, status, schemas)}
    errors = {code for code in endpoint.statuses if code >= 400} | {400, 403, 422}
    if not endpoint.is_open:
        errors.add(401)
    if endpoint.parameters:
        errors.add(404)
    if endpoint.body is not None or endpoint.takes is not None:
        errors |= {413, 415}
    problem = {"application/problem+json": {"schema": schemas[ProblemDetails]}}
    for status in sorted(errors):
        told[str(status)] = {"description": _TOLD[status], "content": problem}
    told["default"] = {"description": "Something went wrong.", "content": problem}
    return told


def _content(endpoint: Endpoint, status: int, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    if status in (101, 204, 303, 304):
        return {}
    if endpoint.answer is not None:
        return {"content": {"application/json": {"schema": schemas[endpoint.answer]}}}
    if endpoint.media is not None:
        return {"content": {endpoint.media: {}}}
    return {}


def text() -> str:
    """The document as it is committed: `python -m nodegraph.server.openapi > docs/openapi.json`."""
    from nodegraph.server.routes.all import ENDPOINTS

    return json.dumps(document(ENDPOINTS), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
