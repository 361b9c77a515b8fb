"""Graphs made by hand: search, links, refusals, undo, copies."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.editor.editor import Editor


def test_text_to_image_from_an_empty_canvas_by_search_and_links(editor: Editor) -> None:
    editor.open_empty()
    editor.add("load checkp", 40, 110)
    editor.field("checkpoint", "file").click()
    editor.page.get_by_role("option", name="tiny.safetensors").click()
    editor.add("empty latent", 360, 600)
    for y in (100, 350):  # each link is dropped on empty canvas, where only what fits is offered
        editor.drag(editor.socket("checkpoint", "out:text_encoder"), 360, y)
        editor.page.mouse.up()
        editor.choose("encode text")
    editor.drag(editor.socket("encode", "out:conditioning"), 690, 130)
    editor.page.mouse.up()
    editor.choose("sample")
    editor.link(editor.socket("encode_2", "out:conditioning"), editor.socket("sample", "in:negative"))
    editor.link(editor.socket("checkpoint", "out:model"), editor.socket("sample", "in:model"))
    editor.link(editor.socket("empty", "out:latent"), editor.socket("sample", "in:latent"))
    editor.drag(editor.socket("sample", "out:latent"), 1010, 110)
    editor.page.mouse.up()
    editor.choose("decode latent")
    editor.link(editor.socket("checkpoint", "out:vae"), editor.socket("decode", "in:vae"))
    editor.drag(editor.socket("decode", "out:image"), 1010, 330)
    editor.page.mouse.up()
    editor.choose("save image")
    editor.field("encode", "text").fill("a red circle on a blue background")
    for side in ("width", "height"):
        editor.field("empty", side).fill("128")
        editor.press("Enter")
    expect(editor.page.locator(".plan-run")).to_have_count(7)
    editor.run()
    editor.wait_for_picture("save")
    assert set(editor.document()["nodes"]) == {
        "checkpoint", "empty", "encode", "encode_2", "sample", "decode", "save",
    }  # fmt: skip


def test_a_link_that_does_not_fit_is_refused_with_its_reason(editor: Editor) -> None:
    editor.open_template("text-to-image")
    before = editor.document()
    target = editor.socket("sample", "in:latent").bounding_box()
    assert target is not None
    editor.drag(editor.socket("loader", "out:vae"), target["x"] + 6, target["y"] + 6)
    expect(editor.page.locator(".connection-hint")).to_contain_text("vae is not latent")
    editor.page.mouse.up()
    expect(editor.page.get_by_text("vae is not latent").first).to_be_visible()
    assert editor.document() == before


def test_a_link_is_taken_off_by_dragging_its_end_away(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.drag(editor.page.locator(".react-flow__edgeupdater-target").last, 700, 800)
    editor.page.mouse.up()
    expect(editor.page.locator(".react-flow__edge")).to_have_count(8)
    expect(editor.page.locator(".node.has-problems")).to_have_count(1)  # what is missing is told at once
    editor.press("Control+z")
    expect(editor.page.locator(".react-flow__edge")).to_have_count(9)


def test_nodes_are_copied_from_one_tab_to_another_as_document_text(
    open_editor: Callable[[], Editor],
) -> None:
    first, second = open_editor(), open_editor()
    first.page.bring_to_front()  # a page behind another is drawn seldom
    first.open_template("text-to-image")
    first.click_canvas()
    first.press("Control+a")
    expect(first.page.locator(".node.is-selected")).to_have_count(7)
    first.press("Control+c")
    copied = first.document()
    text = first.page.evaluate("navigator.clipboard.readText()")
    assert '"nodegraph": 1' in text
    second.page.bring_to_front()
    second.open_empty()
    second.click_canvas()
    second.press("Control+v")
    expect(second.page.locator(".node")).to_have_count(7)
    assert second.document()["nodes"] == copied["nodes"]
    second.press("Control+v")  # once more: with ids of their own, linked among themselves
    expect(second.page.locator(".node")).to_have_count(14)
    assert second.document()["nodes"]["sample_2"]["inputs"]["positive"] == {"from": "encode"}


def test_nodes_of_unknown_types_are_kept_as_they_are(editor: Editor) -> None:
    document = b"""{"nodegraph": 1, "name": "strange", "nodes": {
      "odd": {"type": "gone.node", "inputs": {"amount": 3, "image": {"from": "blank"}},
              "later": {"kept": [1]}},
      "blank": {"type": "gone.source", "inputs": {}}}, "future": {"x": 18446744073709551615}}"""
    editor.drop("strange.json", "application/json", document)
    expect(editor.page.get_by_text("The server does not know this type.").first).to_be_visible()
    expect(editor.page.locator(".react-flow__edge")).to_have_count(1)
    editor.add("sample", 200, 750)
    after = editor.document()
    assert after["nodes"]["odd"]["later"] == {"kept": [1]}
    assert after["nodes"]["odd"]["inputs"] == {"amount": 3, "image": {"from": "blank"}}
    assert after["future"] == {"x": 18446744073709551615}
