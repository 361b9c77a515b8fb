"""Whatever the OpenAPI document allows, and much that it does not: the server never fails."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from nodegraph.server.openapi import document
from nodegraph.server.routes.all import ENDPOINTS
from tests.server.conftest import Server

STREAMS = {"/api/v1/events", "/api/v1/jobs/{job}/events"}
SCHEMA = schemathesis.openapi.from_dict(document(ENDPOINTS)).exclude(path=list(STREAMS))
CHECKS = [not_a_server_error, content_type_conformance, status_code_conformance]


def fuzz(server: Server, case: schemathesis.Case[Any]) -> None:
    if case.path.startswith("/api/v1/jobs") and case.query:
        case.query.pop("wait", None)  # it would be waited
    headers = {"Authorization": f"Bearer {server.token}"}
    answered = case.call(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=30)
    case.validate_response(answered, checks=CHECKS)


@SCHEMA.parametrize()
@settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
def test_no_request_makes_the_server_fail(server: Server, case: schemathesis.Case[Any]) -> None:
    fuzz(server, case)


@pytest.mark.full
@SCHEMA.parametrize()
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_of_many_makes_the_server_fail(server: Server, case: schemathesis.Case[Any]) -> None:
    fuzz(server, case)
