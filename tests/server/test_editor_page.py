"""The editor's page and what it asks for before anything runs: parts, templates, names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nodegraph.server.routes.pages import STATIC
from tests.server.conftest import Server

WORKFLOWS = Path(__file__).parents[2] / "nodes" / "nodegraph_nodes" / "workflows"


@pytest.mark.skipif(not (STATIC / "index.html").is_file(), reason="the editor is not built: make editor")
def test_the_page_and_its_parts_need_no_token_and_parts_are_kept_for_ever(server: Server) -> None:
    page = server.ask("GET", "/", token=None)
    assert page.status == 200
    parts = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.body.decode())
    assert {part.rpartition(".")[2] for part in parts} >= {"js", "css"}
    for part in parts:
        answered = server.ask("GET", part, token=None)
        assert answered.status == 200
        assert "immutable" in answered.headers["cache-control"]
    assert server.ask("GET", "/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.js", "..%2findex.html", "..%2f..%2fguard.py", "%2fetc%2fpasswd"])
def test_nothing_but_parts_of_the_editor_is_handed_out(server: Server, name: str) -> None:
    assert server.ask("GET", f"/assets/{name}", token=None).status == 404


def test_every_template_has_a_sentence_a_picture_and_its_document(server: Server) -> None:
    templates = server.ask("GET", "/api/v1/templates").data["templates"]
    assert {one["name"] for one in templates} == {path.stem for path in WORKFLOWS.glob("*.json")}
    for one in templates:
        assert one["about"].endswith("."), one
        picture = server.ask("GET", one["picture"])
        assert (picture.status, picture.headers["content-type"]) == (200, "image/webp")
        document = server.ask("GET", f"/api/v1/templates/{one['name']}").data
        assert document == json.loads((WORKFLOWS / f"{one['name']}.json").read_text("utf-8"))


def test_an_unknown_template_is_told(server: Server) -> None:
    for path in ("/api/v1/templates/nothing", "/api/v1/templates/nothing/picture"):
        answered = server.ask("GET", path)
        assert answered.status == 404
        assert "nothing" in answered.data["detail"]


def test_the_names_for_menus_are_those_of_the_engine(server: Server) -> None:
    told = server.ask("GET", "/api/v1/vocabulary").data
    assert "dpmpp_2m" in [one["name"] for one in told["choices"]["samplers"]]
    assert "normal" in [one["name"] for one in told["choices"]["schedulers"]]
    assert "tiny.safetensors" in told["files"]["checkpoints"]
    assert told["classes"]["image"] == []
