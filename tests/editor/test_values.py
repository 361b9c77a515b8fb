"""Values are looked at where they flow, and what nodes show stays."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, expect

from tests.editor.editor import Editor
from tests.server.conftest import Server


def look_at(editor: Editor, node: str, output: str) -> Locator:
    """The popover with the value of an output."""
    editor.node(node).get_by_role("button", name=output, exact=True).click()
    popover = editor.page.locator(".look")
    expect(popover).to_be_visible()
    return popover


def looks(server: Server) -> list[dict[str, object]]:
    jobs = server.ask("GET", "/api/v1/jobs?hidden=true&limit=1000").data["jobs"]
    return [job for job in jobs if job["hidden"]]


def test_a_cached_latent_is_looked_at_and_nothing_else_runs(editor: Editor, editor_server: Server) -> None:
    editor.open_template("text-to-image")
    editor.run()
    editor.wait_for_picture("save")
    document = editor.document()
    popover = look_at(editor, "sample", "latent")
    expect(popover.locator(".look-first")).to_contain_text("1 latent, 4 ×", timeout=30_000)
    expect(popover).to_contain_text("deviation")
    picture = popover.get_by_role("img")
    expect(picture).to_be_visible()
    editor.page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    (job,) = looks(editor_server)
    nodes = editor_server.job(str(job["id"]))["nodes"]
    assert {node: one["outcome"] for node, one in nodes.items() if one["outcome"] == "ran"} == {
        "inspect": "ran"
    }
    assert editor.document() == document
    editor.press("Escape")
    expect(popover).to_be_hidden()
    editor.page.get_by_role("button", name="Queue").click()
    expect(editor.page.locator(".job")).to_have_count(1)  # a look is no work of its own


def test_what_is_not_computed_is_offered_and_then_shown(editor: Editor, editor_server: Server) -> None:
    editor.open_template("text-to-image")
    editor.field("positive", "text").fill("a look that never was")
    before = len(looks(editor_server))
    popover = look_at(editor, "positive", "conditioning")
    expect(popover).to_contain_text("It is not computed yet")
    assert len(looks(editor_server)) == before
    popover.get_by_role("button", name="Run up to here").click()
    expect(popover.locator(".look-first")).to_have_text("1 prompt", timeout=60_000)
    expect(popover).to_contain_text("tokens")
    expect(editor.node("sample")).to_have_attribute("data-state", "")


def test_links_are_looked_at_by_alt_click_menu_and_key(editor: Editor) -> None:
    document = {
        "nodegraph": 1,
        "nodes": {
            "levels": {"type": "sigmas.from_text", "inputs": {"text": "14.6, 5.2, 1, 0"}},
            "flip": {"type": "sigmas.flip", "inputs": {"sigmas": {"from": "levels"}}},
        },
        "outputs": {"levels": {"from": "flip"}},
    }
    editor.drop("levels.json", "application/json", json.dumps(document).encode())
    editor.page.wait_for_selector(".node")
    editor.run()
    expect(editor.node("flip")).to_have_attribute("data-state", "ran", timeout=60_000)
    popover, edge = editor.page.locator(".look"), editor.page.locator(".react-flow__edge-interaction")
    editor.settled()
    edge.click(modifiers=["Alt"], force=True)
    expect(popover.locator(".look-first")).to_have_text("3 steps, from 14.6 to 0", timeout=30_000)
    expect(popover.get_by_role("img")).to_be_visible()  # the curve
    editor.press("Escape")
    edge.click(button="right", force=True)
    editor.page.get_by_role("menuitem", name="Look at the value").click()
    expect(popover.locator(".look-first")).to_have_text("3 steps, from 14.6 to 0", timeout=30_000)
    editor.press("Escape")
    editor.node("flip").locator(".node-head").click()
    editor.press("i")
    expect(popover.locator(".look-first")).to_have_text("3 steps, from 0.0001 to 14.6", timeout=30_000)


def test_a_problem_is_told_where_one_looks(editor: Editor) -> None:
    nodes = {"text": {"type": "value.number", "inputs": {"value": "no number"}}}
    document = {"nodegraph": 1, "nodes": nodes, "outputs": {"o": {"from": "text"}}}
    editor.drop("bad.json", "application/json", json.dumps(document).encode())
    editor.page.wait_for_selector(".node")
    popover = look_at(editor, "text", "value")
    expect(popover.get_by_role("alert")).to_contain_text("text · value: the value has the wrong type")


def test_what_a_node_shows_survives_a_reload_and_is_among_the_results(editor: Editor) -> None:
    nodes = {
        "picture": {"type": "image.load", "inputs": {"file": "example.png"}},
        "show": {"type": "image.preview", "inputs": {"image": {"from": "picture.image"}}},
    }
    document = {"nodegraph": 1, "name": "shown", "nodes": nodes}
    editor.drop("shown.json", "application/json", json.dumps(document).encode())
    editor.page.wait_for_selector(".node")
    editor.run()
    picture = editor.node("show").locator(".node-pictures img")
    expect(picture).to_be_visible(timeout=60_000)
    expect(editor.node("show")).to_have_attribute("data-state", "ran")
    editor.page.reload()
    expect(picture).to_be_visible()
    editor.page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    editor.page.get_by_role("button", name="Results").click()
    expect(editor.page.get_by_role("img", name="Picture: shown")).to_have_count(1)


def test_a_value_in_a_loop_is_looked_at_by_iteration(editor: Editor, editor_server: Server) -> None:
    size = {"width": {"input": "item"}, "height": 8, "right": 2, "bottom": 8}
    body = {
        "inputs": {"item": {"type": "int"}},
        "outputs": {"result": {"type": "mask", "from": "invert"}},
        "nodes": {
            "stripe": {"type": "mask.rectangle", "inputs": size},
            "invert": {"type": "mask.invert", "inputs": {"mask": {"from": "stripe"}}},
        },
    }
    nodes = {
        "each": {"type": "logic.for_each", "inputs": {"body": "#stripes", "items": [4, 8, 16]}},
        "again": {"type": "logic.repeat", "inputs": {"body": "#same", "initial": 1}},
    }
    same = {
        "inputs": {"state": {"type": "float"}},
        "outputs": {"state": {"type": "float", "from": "number"}},
        "nodes": {"number": {"type": "value.number", "inputs": {"value": {"input": "state"}}}},
    }
    document = {
        "nodegraph": 1,
        "nodes": nodes,
        "subgraphs": {"stripes": body, "same": same},
        "outputs": {"masks": {"from": "each"}, "number": {"from": "again"}},
    }
    editor.drop("loop.json", "application/json", json.dumps(document).encode())
    editor.page.wait_for_selector(".node")
    editor.settled()
    editor.node("each").get_by_role("button", name="Enter the subgraph").click()
    popover = look_at(editor, "stripe", "mask")
    expect(popover).to_contain_text("It is not computed yet")
    popover.get_by_role("button", name="Run up to here").click()
    expect(popover.locator(".look-first")).to_have_text("1 mask, 16 × 8", timeout=60_000)
    newest = max(looks(editor_server), key=lambda job: int(str(job["number"])))
    outcomes = {node: one["outcome"] for node, one in editor_server.job(str(newest["id"]))["nodes"].items()}
    assert outcomes == {"each": "ran"}
    popover.get_by_role("button", name="Iteration before").click()
    expect(popover.locator(".look-first")).to_have_text("1 mask, 8 × 8")
    popover.get_by_role("spinbutton").fill("1")
    expect(popover.locator(".look-first")).to_have_text("1 mask, 4 × 8")
    picture = popover.get_by_role("img")
    editor.page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    editor.press("Escape")
    editor.page.locator(".breadcrumbs").get_by_role("button").first.click()
    editor.node("again").get_by_role("button", name="Enter the subgraph").click()
    popover = look_at(editor, "number", "value")
    expect(popover.get_by_role("alert")).to_contain_text("carries a state from step to step")
