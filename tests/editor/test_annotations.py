"""Groups and notes: what people write around a graph."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.editor.editor import Editor


def test_a_group_moves_its_nodes_and_all_of_it_is_undone(editor: Editor) -> None:
    editor.open_template("text-to-image")
    start = editor.document()
    editor.node("decode").locator(".node-head").click(position={"x": 200, "y": 18})
    editor.node("save").locator(".node-head").click(modifiers=["Shift"], position={"x": 200, "y": 18})
    editor.press("Shift+g")
    group = editor.page.locator('[data-annotation="groups.1"]')
    expect(group).to_be_visible()
    framed = editor.document()
    head = group.get_by_role("button", name="Group Group: drag", exact=False)
    box = head.bounding_box()
    assert box is not None
    editor.drag(head, box["x"] + box["width"] / 2 - 90, box["y"] + box["height"] / 2 + 60)
    editor.page.mouse.up()
    moved = editor.document()
    by = {axis: moved["view"]["groups"]["1"][axis] - framed["view"]["groups"]["1"][axis] for axis in "xy"}
    assert by["x"] < 0 < by["y"]
    for id_, place in framed["view"]["nodes"].items():
        after = moved["view"]["nodes"][id_]
        expected = by if id_ in ("decode", "save") else {"x": 0, "y": 0}
        for axis in "xy":
            assert abs(after[axis] - place[axis] - expected[axis]) <= 1, (id_, axis)
    assert moved["nodes"] == start["nodes"]
    head.dblclick()
    editor.page.get_by_label("Text", exact=True).fill("Out of the latent")
    editor.press("Enter")
    expect(group).to_contain_text("Out of the latent")
    while editor.page.get_by_role("button", name="Undo").is_enabled():
        editor.press("Control+z")
    expect(group).to_have_count(0)
    after_all = editor.document()
    assert after_all["view"]["nodes"] == start["view"]["nodes"]


def test_a_drag_with_rests_is_one_step_to_undo(editor: Editor) -> None:
    page = editor.page
    editor.open_template("text-to-image")
    editor.node("decode").locator(".node-head").click(position={"x": 110, "y": 18})
    editor.press("Shift+g")
    group = page.locator('[data-annotation="groups.1"]')
    expect(group).to_be_visible()
    framed = editor.document()["view"]
    head = group.get_by_role("button", name="Group Group: drag", exact=False)
    box = head.bounding_box()
    assert box is not None
    page.clock.install()
    undo = page.get_by_role("button", name="Undo")
    steps = int(undo.get_attribute("data-steps") or 0)
    editor.drag(head, box["x"] + 40, box["y"] + 60)
    expect(undo).to_have_attribute("data-steps", str(steps + 1))
    page.clock.fast_forward(5_000)  # longer than letters may be apart that are one step
    page.mouse.move(box["x"] + 90, box["y"] + 90, steps=3)
    page.mouse.up()
    assert editor.document()["view"] != framed
    expect(undo).to_have_attribute("data-steps", str(steps + 1))
    editor.press("Control+z")
    assert editor.document()["view"] == framed
    # A node takes the selected group along, and is put down only when the pointer is let go.
    expect(group).to_have_class(re.compile("is-selected"))
    editor.node("sample").locator(".node-head").click(position={"x": 110, "y": 18}, modifiers=["Shift"])
    expect(page.locator(".react-flow__node.selected")).to_have_count(1)
    title = editor.node("sample").locator(".node-head h2")
    box = title.bounding_box()
    assert box is not None
    editor.drag(title, box["x"] + 40, box["y"] + 60)
    page.clock.fast_forward(5_000)
    page.mouse.up()
    moved = editor.document()["view"]
    assert moved["nodes"]["sample"] != framed["nodes"]["sample"]
    assert moved["groups"] != framed["groups"]
    expect(undo).to_have_attribute("data-steps", str(steps + 1))


def test_a_note_is_written_moved_by_keyboard_and_kept_with_the_workflow(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.click_canvas()
    editor.press("n")
    note = editor.page.locator('[data-annotation="notes.1"]')
    note.get_by_label("Text", exact=True).fill("Seed 7 is the good one.\nTry cfg 5 too.")
    before = editor.document()["view"]["notes"]["1"]
    assert before["text"] == "Seed 7 is the good one.\nTry cfg 5 too."
    head = note.get_by_role("button", name="Note: drag", exact=False)
    head.focus()
    editor.press("ArrowRight")
    assert editor.document()["view"]["notes"]["1"]["x"] == before["x"] + 12
    expect(editor.page.locator(".node.has-problems")).to_have_count(0)
    editor.run()
    editor.wait_for_picture("save")  # a note changes nothing of what runs
    head.focus()
    editor.press("Delete")
    expect(note).to_have_count(0)
    expect(editor.page.locator(".node")).to_have_count(7)


def test_a_group_is_copied_with_its_nodes_and_heads_them_in_the_list(editor: Editor) -> None:
    page = editor.page
    editor.open_template("text-to-image")
    editor.node("decode").locator(".node-head").click(position={"x": 110, "y": 18})
    editor.node("save").locator(".node-head").click(modifiers=["Shift"], position={"x": 110, "y": 18})
    editor.press("Shift+g")
    group = page.locator('[data-annotation="groups.1"]')
    expect(group).to_be_visible()
    editor.click_canvas()
    head = group.locator(".annotation-head")
    head.click(position={"x": 60, "y": 12})
    expect(group).to_have_class(re.compile("is-selected"))
    group.get_by_role("button", name="Select Group Group with all", exact=False).click()
    expect(page.locator(".react-flow__node.selected")).to_have_count(2)
    editor.press("Control+d")
    copy = page.locator('[data-annotation="groups.2"]')
    expect(copy).to_have_class(re.compile("is-selected"))
    expect(page.locator(".node")).to_have_count(9)
    view = editor.document()["view"]
    assert view["groups"]["2"]["x"] == view["groups"]["1"]["x"] + 40
    assert view["nodes"]["decode_2"]["x"] == view["nodes"]["decode"]["x"] + 40
    editor.press("Delete")  # all of what is selected
    expect(copy).to_have_count(0)
    expect(page.locator(".node")).to_have_count(7)
    expect(group).to_be_visible()
    editor.press("l")
    chapter = page.get_by_role("region", name="Group Group")
    expect(chapter.get_by_role("heading", level=2)).to_have_text("Group")
    expect(chapter.locator(".list-node")).to_have_count(2)
    assert page.locator(".list-node").last.get_attribute("data-node") == "save"
