"""The gallery: searched, looked at closely, compared, and used again."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.editor.editor import Editor
from tests.server.conftest import Server


def make(editor: Editor, prompt: str) -> str:
    """Run text to image with a prompt; the address of its picture in the gallery."""
    editor.field("positive", "text").fill(prompt)
    editor.field("sample", "steps").fill("2")
    editor.press("Enter")
    job = editor.page.locator(".results img")
    count = job.count()
    editor.run()
    expect(job).to_have_count(count + 1, timeout=60_000)
    return job.first.get_attribute("src") or ""


def gallery(editor: Editor) -> Locator:
    editor.open_template("text-to-image")
    editor.page.get_by_role("button", name="Results").click()
    return editor.page.locator(".results li")


def test_pictures_are_searched_and_compared_by_keyboard(editor: Editor) -> None:
    items = gallery(editor)
    page = editor.page
    first = make(editor, "a red circle")
    second = make(editor, "a blue square")
    page.get_by_label("Search results").fill("blue square")
    expect(items).to_have_count(1)
    page.get_by_label("Search results").fill("")
    expect(page.locator(".day")).to_have_text(["Today"])

    items.first.locator(".result").click()
    dialog = page.locator(".picture-dialog")
    expect(dialog.get_by_role("complementary", name="How it was made")).to_contain_text("a blue square")
    editor.press("ArrowRight")
    expect(dialog.get_by_role("complementary", name="How it was made")).to_contain_text("a red circle")
    expect(dialog.locator("img")).to_have_attribute("src", first)
    editor.press("ArrowLeft")
    expect(dialog.locator("img")).to_have_attribute("src", second)

    dialog.get_by_role("button", name="Compare with the one before").click()
    expect(dialog.locator("img")).to_have_count(2)
    slider = dialog.get_by_role("slider", name="Divider between the pictures")
    expect(slider).to_be_focused()
    left = dialog.locator(".compare-left")
    assert left.get_attribute("src") == first
    expect(left).to_have_css("clip-path", "inset(0px 50% 0px 0px)")
    for _ in range(10):
        editor.press("ArrowRight")
    expect(left).to_have_css("clip-path", "inset(0px 40% 0px 0px)")
    editor.press("Home")
    expect(left).to_have_css("clip-path", "inset(0px 100% 0px 0px)")
    editor.press("Escape")

    items.nth(1).get_by_role("button", name="Choose to compare").click()
    items.nth(0).get_by_role("button", name="Compare with text to image").click()
    expect(dialog.locator("img")).to_have_count(2)


def test_a_picture_is_zoomed_and_moved(editor: Editor) -> None:
    items = gallery(editor)
    make(editor, "a green star")
    items.first.locator(".result").click()
    view = editor.page.get_by_role("group", name="Picture: + and - zoom")
    view.focus()
    editor.press("+")
    expect(view).to_have_attribute("data-scale", "1.4")
    editor.press("0")
    expect(view).to_have_attribute("data-scale", "1")
    view.dblclick()
    expect(view).to_have_attribute("data-scale", "3")
    box = view.bounding_box()
    assert box is not None
    transform = view.locator("img").evaluate("image => image.style.transform")
    editor.page.mouse.move(box["x"] + 200, box["y"] + 200)
    editor.page.mouse.down()
    editor.page.mouse.move(box["x"] + 120, box["y"] + 160, steps=4)
    editor.page.mouse.up()
    assert view.locator("img").evaluate("image => image.style.transform") != transform


def test_a_picture_becomes_an_input_by_dragging_and_by_menu(editor: Editor, editor_server: Server) -> None:
    items = gallery(editor)
    make(editor, "a yellow circle")
    editor.page.get_by_role("button", name="Empty canvas").or_(
        editor.page.get_by_role("button", name="New workflow")
    ).first.click()
    items.first.locator(".result").drag_to(
        editor.page.locator(".react-flow__pane"), target_position={"x": 300, "y": 300}
    )
    expect(editor.node("load")).to_be_visible()
    first = editor.document()["nodes"]["load"]["inputs"]["file"]
    assert first.startswith("uploads/")
    names = [one["use_as"] for one in editor_server.ask("GET", "/api/v1/files").data["files"]]
    assert first in names

    shown = editor.node("load").locator(".loaded-picture img")
    address = shown.get_attribute("src") or ""
    editor.page.locator(".tab-name").first.click()
    make(editor, "a white square")
    editor.page.locator(".tab-name").last.click()
    items.first.locator(".result").drag_to(editor.node("load").locator(".node-head"))
    expect(shown).not_to_have_attribute("src", address)  # once it is uploaded
    expect(editor.page.locator(".node")).to_have_count(1)
    assert editor.document()["nodes"]["load"]["inputs"]["file"] != first

    items.first.get_by_role("button", name="More").click()
    editor.page.get_by_role("menuitem", name="Use as input").click()
    expect(editor.page.locator(".node")).to_have_count(2)
    count = items.count()
    items.first.get_by_role("button", name="More").click()
    editor.page.get_by_role("menuitem", name="Remove from the history").click()
    expect(items).to_have_count(count - 1)


def test_the_last_run_is_told_by_node(editor: Editor) -> None:
    gallery(editor)
    make(editor, "a red star")
    editor.page.get_by_role("button", name="Problems").click()
    last = editor.page.locator(".last-run")
    expect(last).to_contain_text("s in all")
    last.get_by_role("button", name="sample").click()
    expect(editor.node("sample")).to_have_class("node is-selected is-ran")
    took = editor.node("sample").locator(".node-took")
    assert "It ran in" in (took.get_attribute("title") or "")
    decoded = editor.node("decode").locator(".node-took")  # 128 × 128 pixels of three float32
    expect(decoded).to_contain_text(" s · 197 kB")
    assert "Its result takes 197 kB" in (decoded.get_attribute("title") or "")
    last.get_by_role("button", name="By memory").click()
    expect(last.locator(".plan-list li").first).to_contain_text("197 kB")
