"""Way points on links: set, dragged, moved by key and taken away; they go along with both ends."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AUDIT, AXE, RULES

ALONG = """([id, part]) => {
  const line = document.querySelector(`.react-flow__edge[data-id="${id}"] .react-flow__edge-path`);
  const at = line.getPointAtLength(line.getTotalLength() * part);
  return new DOMPoint(at.x, at.y).matrixTransform(line.getScreenCTM()).toJSON();
}"""
LINK = "latent.latent>sample.latent"
PLACE = "sample.latent"


def along(editor: Editor, link: str, part: float = 0.5) -> tuple[float, float]:
    """Where on the screen a part of a link is, from 0 to 1."""
    at = editor.page.evaluate(ALONG, [link, part])
    return at["x"], at["y"]


def points(editor: Editor) -> Any:
    return editor.document()["view"].get("reroutes", {}).get(PLACE, {}).get("points", [])


def way_points(editor: Editor) -> Locator:
    return editor.page.locator(".way-point")


def start(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.click_canvas()
    expect(way_points(editor)).to_have_count(0)


def test_a_link_is_led_around_by_mouse(editor: Editor) -> None:
    start(editor)
    page, ways = editor.page, way_points(editor)
    page.mouse.dblclick(*along(editor, LINK))
    expect(ways).to_have_count(1)
    expect(page.locator(".add-menu")).to_have_count(0)
    before = points(editor)
    editor.drag(ways.first, 600, 700)
    page.mouse.up()
    (moved,) = points(editor)
    assert moved["y"] > before[0]["y"] + 50
    line = page.locator(f'.react-flow__edge[data-id="{LINK}"] .react-flow__edge-path')
    assert f"{moved['x']},{moved['y']}" in (line.get_attribute("d") or "")
    # All nodes at once: what lies between them moves by the same.
    editor.press("Control+a")
    editor.drag(editor.node("latent").locator(".node-head h2"), 300, 400)
    page.mouse.up()
    (now,) = points(editor)
    assert now != moved
    editor.press("Control+z")
    assert points(editor) == [moved]
    ways.first.click(button="right")
    page.get_by_role("menuitem", name="Remove the way point").click()
    expect(ways).to_have_count(0)
    assert "reroutes" not in editor.document()["view"]
    for _ in range(3):
        editor.press("Control+z")
    expect(ways).to_have_count(0)
    assert points(editor) == []


def test_a_link_is_led_around_by_keyboard(editor: Editor) -> None:
    start(editor)
    ways = way_points(editor)
    editor.press("w")
    expect(editor.page.get_by_text("Select a link first")).to_be_visible()
    editor.page.mouse.click(*along(editor, LINK))
    editor.press("w")
    expect(ways).to_have_count(1)
    editor.press("w")
    expect(ways).to_have_count(2)
    before = points(editor)
    ways.first.focus()
    editor.press("ArrowDown")
    editor.press("ArrowDown")
    after = points(editor)
    assert [one["y"] for one in after] == [before[0]["y"] + 16, before[1]["y"]]
    editor.press("Delete")
    expect(ways).to_have_count(1)
    expect(ways.first).to_be_focused()
    assert points(editor) == before[1:]
    expect(editor.page.locator(".node")).to_have_count(7)
    # A link that is taken off takes its way points along, and brings them back.
    editor.page.mouse.click(*along(editor, LINK))
    editor.press("Delete")
    expect(ways).to_have_count(0)
    editor.press("Control+z")
    expect(ways).to_have_count(1)
    editor.press("1")  # as large as it is: what is zoomed out can be zoomed in
    editor.settled()
    editor.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert editor.page.evaluate(AUDIT, RULES) == []
