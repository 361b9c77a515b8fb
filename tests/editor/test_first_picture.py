"""From the start page to a picture, and on from there."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.server.conftest import Server


def test_a_template_and_one_click_make_a_picture(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.run()
    # A latent preview stands in the sampler while it works, and the picture in the node that saves it.
    expect(editor.node("sample").locator(".node-pictures img")).to_be_visible(timeout=60_000)
    editor.wait_for_picture("save")
    editor.page.get_by_role("button", name="Results").click()
    expect(editor.page.locator(".results img")).to_have_count(1)


def test_only_what_a_new_prompt_affects_runs_again(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.run()
    first = editor.wait_for_picture("save")
    editor.field("positive", "text").fill("a yellow star on a blue background")
    will_run = editor.page.locator(".plan-run")
    expect(will_run).to_have_count(4)  # the plan says so before it runs
    editor.run()
    expect(editor.picture_of("save").first).not_to_have_attribute("src", first, timeout=60_000)
    states = {
        node: editor.node(node).get_attribute("data-state")
        for node in ("positive", "sample", "decode", "save")
    }
    assert set(states.values()) == {"ran"}, states
    for node in ("loader", "negative", "latent"):
        assert editor.node(node).get_attribute("data-state") in ("memory", "disk", "", "shared"), node


def test_a_dropped_picture_is_the_graph_that_made_it(editor: Editor, editor_server: Server) -> None:
    editor.open_template("text-to-image")
    editor.field("sample", "seed").fill("18446744073709551615")
    editor.field("sample", "steps").fill("4")
    editor.press("Enter")
    editor.run()
    address = editor.wait_for_picture("save")
    before = editor.document()
    picture = editor_server.ask("GET", address).body
    editor.drop("made.png", "image/png", picture)
    expect(editor.page.locator(".tab-name")).to_have_count(2)
    editor.settled()
    after = editor.document()
    assert after["nodes"]["sample"]["inputs"]["seed"] == 18446744073709551615
    for part in ("inputs", "outputs"):
        assert after[part] == before[part]
    for id_, node in before["nodes"].items():
        assert after["nodes"][id_] == node
    editor.run()
    again = editor.wait_for_picture("save")
    assert editor_server.ask("GET", again).body == picture


def test_a_random_seed_makes_another_picture_each_time(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.field("sample", "steps").fill("3")
    editor.press("Enter")
    editor.field("sample", "After a run, seed: fixed").click()
    editor.page.get_by_role("menuitemradio", name="A new seed for every run").click()
    assert editor.document()["nodes"]["sample"]["inputs"]["seed"] == "random"
    editor.run()
    first = editor.wait_for_picture("save")
    editor.run()
    expect(editor.picture_of("save").first).not_to_have_attribute("src", first, timeout=60_000)
    editor.page.get_by_role("button", name="Results").click()
    newest = [one.get_attribute("src") for one in editor.page.locator(".results img").all()[:2]]
    assert newest[0] != newest[1]  # files are named by their content


def test_a_picture_without_a_workflow_is_put_on_the_canvas(editor: Editor) -> None:
    plain = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(plain, "PNG")
    editor.open_empty()
    editor.drop("plain.png", "image/png", plain.getvalue())
    expect(editor.page.get_by_text("plain.png is uploaded")).to_be_visible()
    (node,) = editor.document()["nodes"].values()
    assert node["type"] == "image.load"
    assert node["inputs"]["file"].startswith("uploads/")
    expect(editor.page.locator(".node.has-problems")).to_have_count(0)
    editor.drop("broken.json", "application/json", b"{")
    expect(editor.page.get_by_text("broken.json cannot be opened")).to_be_visible()
