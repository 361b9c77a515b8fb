"""Fields of every kind of input: growing ones, lists, variants, optional values, colours, seeds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AUDIT, AXE, RULES
from tests.server.conftest import Server


@pytest.fixture(scope="module")
def editor_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose nodes have fields of all kinds."""
    running = Server(
        tmp_path_factory.mktemp("fields") / "data", options=("--pack", "tests.editor.fieldpack:PACK")
    )
    running.start()
    await_fields(running)
    yield running
    running.end()


def await_fields(server: Server) -> None:
    """Wait until the nodes of the pack are there: a worker brings them."""
    deadline = time.monotonic() + 60
    while b"fields.grow" not in server.ask("GET", "/api/v1/nodes").body:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def open_node(editor: Editor, kind: str, **inputs: Any) -> None:
    """A workflow of one node, `x`, as large as it is."""
    document = {
        "nodegraph": 1, "name": kind, "nodes": {"x": {"type": f"fields.{kind}", "inputs": inputs}},
        "outputs": {"out": {"from": "x"}}, "view": {"nodes": {"x": {"x": 80, "y": 40}}},
    }  # fmt: skip
    editor.drop(f"{kind}.json", "application/json", json.dumps(document).encode())
    expect(editor.node("x")).to_be_visible()
    editor.settled()
    editor.click_canvas()
    editor.press("1")
    editor.settled()


def inputs_of(editor: Editor) -> Any:
    return editor.document()["nodes"]["x"].get("inputs", {})


def test_members_are_added_renamed_reordered_and_taken_out(editor: Editor) -> None:
    open_node(editor, "grow", values=[1.5])
    node = editor.node("x")
    node.get_by_role("button", name="Add to values").click()
    editor.field("x", "values 2").fill("4")
    editor.press("Enter")
    node.get_by_role("button", name="More about values 2").click()
    editor.page.get_by_role("menuitem", name="Move up").click()
    node.get_by_role("button", name="Add to named").click()
    editor.field("x", "Name of a").fill("weight")
    editor.press("Enter")
    expect(editor.field("x", "weight")).to_be_visible()
    assert inputs_of(editor) == {"values": [4, 1.5], "named": {"weight": 0}}
    expect(editor.page.locator(".plan-run")).to_have_count(1)
    node.get_by_role("button", name="More about values 1").click()
    editor.page.get_by_role("menuitem", name="Remove").click()
    assert inputs_of(editor)["values"] == [1.5]
    editor.press("Control+z")
    assert inputs_of(editor)["values"] == [4, 1.5]


def test_lists_are_edited_line_by_line_and_pasted(editor: Editor) -> None:
    open_node(editor, "lists", numbers=[1])
    node = editor.node("x")
    node.get_by_role("button", name="Add to words").click()
    editor.page.evaluate("navigator.clipboard.writeText('red\\ngreen\\nblue')")
    editor.field("x", "words 1").click()
    editor.press("Control+v")
    expect(editor.field("x", "words 3")).to_have_value("blue")
    node.get_by_role("button", name="Move words 3 up").click()
    node.get_by_role("button", name="Remove words 1").click()
    editor.page.evaluate("navigator.clipboard.writeText('2, 3.5')")
    node.get_by_role("button", name="Add to numbers").focus()
    editor.press("Control+v")
    expect(editor.field("x", "numbers 3")).to_have_value("3.5")
    assert inputs_of(editor) == {"numbers": [1, 2, 3.5], "words": ["blue", "green"]}
    expect(editor.page.locator(".plan-run")).to_have_count(1)


def test_a_variant_changes_its_kind_and_keeps_what_both_share(editor: Editor) -> None:
    open_node(editor, "variant", mode={"value": {"kind": "resize", "width": 32}})
    editor.field("x", "mode width").fill("48")
    editor.press("Enter")
    editor.field("x", "Kind of mode").click()
    editor.page.get_by_role("option", name="crop").click()
    expect(editor.field("x", "mode width")).to_have_value("48")
    editor.field("x", "Set mode limit: not set").click()
    mode = inputs_of(editor)["mode"]["value"]
    assert mode == {"kind": "crop", "width": 48, "left": 0, "names": [], "limit": 0}
    expect(editor.page.locator(".plan-run")).to_have_count(1)


def test_what_is_not_set_says_so_and_is_set_and_cleared(editor: Editor) -> None:
    open_node(editor, "optional")
    expect(editor.field("x", "Set strength: not set")).to_have_text("not set")
    editor.field("x", "Set strength: not set").click()
    editor.field("x", "strength").fill("0.5")
    editor.press("Enter")
    editor.field("x", "Clear limit").click()  # its default is 5: nothing has to be written down
    assert inputs_of(editor) == {"strength": 0.5, "limit": None}
    editor.field("x", "Clear strength").click()
    assert inputs_of(editor) == {"limit": None}
    expect(editor.page.locator(".plan-run")).to_have_count(1)


def test_colours_are_picked_and_written(editor: Editor) -> None:
    open_node(editor, "colour")
    editor.field("x", "Pick fill").fill("#ff8800")
    editor.field("x", "glass").fill("#0f08")
    editor.press("Enter")
    editor.field("x", "Opacity of glass").fill("64")
    editor.field("x", "Kind of either").click()
    editor.page.get_by_role("option", name="text").click()
    assert inputs_of(editor) == {"fill": "#ff8800", "glass": "#00ff0040", "either": ""}
    expect(editor.page.locator(".plan-run")).to_have_count(1)


def test_a_seed_goes_on_after_every_run_and_the_job_records_what_it_was(
    editor: Editor, editor_server: Server
) -> None:
    open_node(editor, "seed", seed=41)
    editor.field("x", "After a run, seed: fixed").click()
    editor.page.get_by_role("menuitemradio", name="The next seed after every run").click()
    editor.run()
    expect(editor.field("x", "seed")).to_have_value("42")
    document = editor.document()
    assert (document["nodes"]["x"]["inputs"], document["view"]["nextSeeds"]) == ({"seed": 42}, ["x.seed"])
    newest = editor_server.ask("GET", "/api/v1/jobs").data["jobs"][0]["id"]
    assert sent_seed(editor_server, newest) == 41
    editor.field("x", "After a run, seed: next").click()
    editor.page.get_by_role("menuitemradio", name="A new seed for every run").click()
    editor.run()  # no named input tells its seed: the workflow that was sent does
    expect(editor.page.locator(".node.is-ran, .node.is-memory")).to_have_count(1)
    jobs = editor_server.ask("GET", "/api/v1/jobs").data["jobs"]
    assert isinstance(sent_seed(editor_server, next(job["id"] for job in jobs if job["id"] != newest)), int)
    assert inputs_of(editor) == {"seed": "random"}


def sent_seed(server: Server, job: str) -> object:
    workflow = server.ask("GET", f"/api/v1/jobs/{job}/workflow").data
    return workflow["nodes"]["x"]["inputs"]["seed"]


def test_no_field_has_a_violation(editor: Editor) -> None:
    kinds: dict[str, Any] = {
        "grow": {"values": [1], "named": {"a": 1}}, "lists": {"numbers": [1], "many": [{"left": 1}]},
        "variant": {"mode": {"value": {"kind": "crop", "limit": 1}}}, "optional": {"strength": 1},
        "colour": {}, "seed": {},
    }  # fmt: skip
    document = {
        "nodegraph": 1,
        "nodes": {kind: {"type": f"fields.{kind}", "inputs": inputs} for kind, inputs in kinds.items()},
        "view": {
            "nodes": {
                kind: {"x": 20 + 290 * (i % 4), "y": 20 + 320 * (i // 4)} for i, kind in enumerate(kinds)
            }
        },
    }
    editor.drop("all.json", "application/json", json.dumps(document).encode())
    editor.settled()
    editor.click_canvas()
    editor.press("1")
    editor.settled()
    editor.page.evaluate(AXE.read_text(encoding="utf-8"))
    editor.page.emulate_media(color_scheme="dark")
    assert editor.page.evaluate(AUDIT, RULES) == []
    editor.page.emulate_media(color_scheme="light")
    expect(editor.page.locator("html")).to_have_attribute("data-theme", "light")
    editor.settled()
    assert editor.page.evaluate(AUDIT, RULES) == []
