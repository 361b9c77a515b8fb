"""The API's description is that of the code, and valid."""

from __future__ import annotations

import json
from pathlib import Path

import schemathesis

from nodegraph.server.openapi import document, text
from nodegraph.server.routes.all import ENDPOINTS
from tests.server.conftest import Server

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_that_of_the_code() -> None:
    renew = "python -m nodegraph.server.openapi > docs/openapi.json"
    assert COMMITTED.read_text("utf-8") == text(), f"renew it: {renew}"


def test_the_document_is_valid_openapi_3_1() -> None:
    schema = schemathesis.openapi.from_dict(document(ENDPOINTS))
    assert document(ENDPOINTS)["openapi"] == "3.1.0"
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(ENDPOINTS)


def test_operations_have_names_of_their_own_and_help() -> None:
    operations = [one for path in document(ENDPOINTS)["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert all(len(one["summary"]) > 10 and "default" in one["responses"] for one in operations)


def test_the_server_sends_it_without_a_token(server: Server) -> None:
    sent = server.ask("GET", "/api/v1/openapi.json", token=None)
    assert sent.status == 200
    assert sent.data == json.loads(COMMITTED.read_text("utf-8"))
