"""Named workflows: revisions, conflicts, trash, and runs by named inputs."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph.server.tokens import Tokens
from tests.server.conftest import Answered, Server

FINE: dict[str, Any] = {
    "nodegraph": 1,
    "nodes": {"n": {"type": "naughty.fine", "inputs": {"number": 4}}},
    "inputs": {"number": {"to": ["n.number"], "help": "any"}},
    "outputs": {"more": {"from": "n"}},
}


def save(server: Server, name: str, document: dict[str, Any], tag: str | None = None) -> Answered:
    headers = {"If-Match": tag} if tag is not None else {}
    return server.ask("PUT", f"/api/v1/workflows/{name}", {"document": document}, headers=headers)


def test_every_save_is_a_revision_and_an_old_one_can_be_read(server: Server) -> None:
    made = save(server, "one", FINE)
    assert made.status == 201
    changed = {**FINE, "nodes": {"n": {"type": "naughty.fine", "inputs": {"number": 5}}}}
    again = save(server, "one", changed, made.headers["etag"])
    assert (again.status, again.data["revision"]) == (200, 2)
    same = save(server, "one", changed, again.headers["etag"])
    assert same.data["revision"] == 2  # nothing changed
    old = server.ask("GET", "/api/v1/workflows/one?revision=1").data
    assert (old["revision"], old["newest"]) == (1, 2)
    assert old["document"]["nodes"]["n"]["inputs"] == {"number": 4}
    listed = server.ask("GET", "/api/v1/workflows/one/revisions").data["revisions"]
    assert [one["number"] for one in listed] == [2, 1]
    assert server.ask("GET", "/api/v1/workflows/one?revision=9").status == 404


def test_a_save_over_a_newer_revision_is_a_conflict(server: Server) -> None:
    first = save(server, "contested", FINE)
    mine = save(server, "contested", {**FINE, "name": "mine"}, first.headers["etag"])
    theirs = save(server, "contested", {**FINE, "name": "theirs"}, first.headers["etag"])
    assert (mine.status, theirs.status) == (200, 412)
    assert "somebody else" in theirs.data["detail"]
    blind = save(server, "contested", {**FINE, "name": "blind"})
    assert (blind.status, blind.data["code"]) == (409, "workflow_exists")
    there = server.ask("GET", "/api/v1/workflows/contested").data
    assert there["document"]["name"] == "mine"


def test_what_goes_to_the_trash_comes_back_whole(server: Server) -> None:
    tag = save(server, "thrown", FINE).headers["etag"]
    save(server, "thrown", {**FINE, "name": "b"}, tag)
    assert server.ask("DELETE", "/api/v1/workflows/thrown").status == 204
    assert server.ask("GET", "/api/v1/workflows/thrown").status == 404
    save(server, "thrown", {**FINE, "name": "another"})
    (item,) = [
        one
        for one in server.ask("GET", "/api/v1/workflows?trashed=true").data["workflows"]
        if one["name"] == "thrown"
    ]
    taken = server.ask("POST", "/api/v1/workflows/restore", {"id": item["id"]})
    assert (taken.status, taken.data["code"]) == (409, "workflow_exists")
    back = server.ask("POST", "/api/v1/workflows/restore", {"id": item["id"], "name": "thrown 2"})
    assert (back.status, back.data["revision"]) == (200, 2)
    first = server.ask("GET", "/api/v1/workflows/thrown%202?revision=1").data
    assert first["document"] == FINE


def trashed(server: Server, name: str) -> list[int]:
    listed = server.ask("GET", "/api/v1/workflows?trashed=true")
    return [one["id"] for one in listed.data["workflows"] if one["name"] == name]


def test_only_what_lies_in_ones_own_trash_is_deleted_for_good(server: Server) -> None:
    made = save(server, "passing", FINE).data
    place = f"/api/v1/trash/{made['id']}"
    assert server.ask("DELETE", place).status == 404  # it is not in the trash
    assert server.ask("DELETE", "/api/v1/workflows/passing").status == 204
    stranger = Tokens(server.data_dir).add("rosa")
    assert server.ask("DELETE", place, token=stranger).status == 404
    assert trashed(server, "passing") == [made["id"]]
    assert server.ask("DELETE", place).status == 204
    assert trashed(server, "passing") == []
    gone = server.ask("POST", "/api/v1/workflows/restore", {"id": made["id"]})
    assert (gone.status, server.ask("DELETE", place).status) == (404, 404)
    assert save(server, "passing", FINE).data["revision"] == 1  # no old revision is in its way
    for wrong in ("x", "-1", "9" * 30, "%00"):
        assert server.ask("DELETE", f"/api/v1/trash/{wrong}").status == 404


def test_a_workflow_is_renamed_with_its_revisions(server: Server) -> None:
    made = save(server, "before", FINE)
    save(server, "other", FINE)
    taken = server.ask("POST", "/api/v1/workflows/before/rename", {"name": "other"})
    assert (taken.status, taken.data["code"]) == (409, "workflow_exists")
    assert "another name" in taken.data["remedy"]
    done = server.ask("POST", "/api/v1/workflows/before/rename", {"name": "after"})
    assert (done.status, done.data["name"]) == (200, "after")
    assert server.ask("GET", "/api/v1/workflows/before").status == 404
    assert done.data["updated"] == made.data["updated"]  # what it holds is as old as before
    same = server.ask("POST", "/api/v1/workflows/after/rename", {"name": "after"})
    assert (same.status, same.data["tag"]) == (200, made.data["tag"])
    assert save(server, "after", {**FINE, "name": "b"}, made.headers["etag"]).data["revision"] == 2


def test_unknown_nodes_and_fields_survive_and_broken_structure_is_refused(server: Server) -> None:
    nodes = {"x": {"type": "some.where", "inputs": {"a": [1]}, "colour": "red"}}
    strange = {"nodegraph": 1, "nodes": nodes}
    assert save(server, "strange", strange).status == 201
    assert server.ask("GET", "/api/v1/workflows/strange").data["document"]["nodes"] == nodes
    broken = save(server, "broken", {"nodegraph": 1, "nodes": {"n": {"inputs": {}}}})
    assert (broken.status, broken.data["problems"][0]["node"]) == (422, "n")


@pytest.mark.parametrize("name", ["%2e%2e%2fetc", "a%2Fb", "%00", "x" * 101, "%0a"])
def test_names_that_are_none_are_refused(server: Server, name: str) -> None:
    assert save(server, name, FINE).status in (404, 405, 422)


def test_a_saved_workflow_runs_by_its_named_inputs(server: Server) -> None:
    save(server, "adds", FINE)
    done = server.ask("POST", "/api/v1/workflows/adds/run?wait=60", {"number": 41})
    assert (done.status, done.data["state"], done.data["title"]) == (201, "done", "adds")
    assert done.data["outputs"]["more"]["value"] == 42
    wrong = server.ask("POST", "/api/v1/workflows/adds/run", {"nummer": 41})
    assert (wrong.status, wrong.data["problems"][0]["code"]) == (422, "unknown_input")
    key = "/api/v1/workflows/adds/run?idempotency_key=once"
    assert server.ask("POST", key, {"number": 1}).status == 201
    assert server.ask("POST", key, {"number": 1}).status == 200


def test_a_workflow_tells_its_inputs(server: Server) -> None:
    told = server.ask("GET", "/api/v1/workflows/template:text-to-image/interface").data
    assert told["inputs"]["prompt"]["schema"]["type"] == "string"
    assert told["inputs"]["prompt"]["value"]
    assert told["outputs"]["image"] == {"type": "image"}
    names = [one["name"] for one in server.ask("GET", "/api/v1/templates").data["templates"]]
    assert "text-to-image" in names


def test_a_sweep_is_a_group_in_the_order_of_its_cells(server: Server) -> None:
    wanted = {"workflow": FINE, "axes": [{"input": "number", "values": [1, 2, 3]}]}
    group = server.ask("POST", "/api/v1/groups", wanted)
    assert group.status == 201
    for job in group.data["jobs"]:
        server.job(job["id"], wait=60)
    told = server.ask("GET", f"/api/v1/groups/{group.data['id']}").data
    assert told["states"] == {"done": 3}
    assert [job["outputs"]["more"]["value"] for job in told["jobs"]] == [2, 3, 4]
    bad = server.ask("POST", "/api/v1/groups", {**wanted, "axes": [{"input": "number", "values": [1, "x"]}]})
    assert bad.status == 422


def test_a_group_is_cancelled_as_one(server: Server) -> None:
    wanted = {"workflow": FINE, "axes": [{"input": "number", "values": [7, 8]}], "hold": True}
    group = server.ask("POST", "/api/v1/groups", wanted).data
    assert group["states"] == {"held": 2}
    gone = server.ask("POST", f"/api/v1/groups/{group['id']}/cancel")
    assert (gone.status, gone.data["states"]) == (202, {"cancelled": 2})


def test_check_answers_with_problems_or_a_plan_and_queues_nothing(server: Server) -> None:
    before = server.ask("GET", "/api/v1/jobs").data["jobs"]
    bad = server.ask("POST", "/api/v1/check", {"workflow": FINE, "inputs": {"number": "x"}})
    assert (bad.status, bad.data["problems"][0]["input"]) == (200, "number")
    good = server.ask("POST", "/api/v1/check", {"workflow": FINE, "inputs": {"number": 77}}).data
    assert good["problems"] == []
    assert good["plan"]["n"]["action"] == "run"
    assert server.ask("GET", "/api/v1/jobs").data["jobs"] == before
