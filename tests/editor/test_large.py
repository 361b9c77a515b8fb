"""A large graph from afar: one picture, under which the nodes can still be used."""

from __future__ import annotations

from playwright.sync_api import expect

from benchmarks.editor import big
from tests.editor.editor import Editor

COLOURED = """([x, y]) => {
  const canvas = document.querySelector(".far-picture");
  const { left, top, width } = canvas.getBoundingClientRect();
  const ratio = canvas.width / width;
  const at = [(x - left) * ratio, (y - top) * ratio];
  return canvas.getContext("2d").getImageData(...at, 1, 1).data[3];
}"""
"""How opaque the picture is at a place of the page."""


def test_a_large_graph_is_one_picture_from_afar_and_its_nodes_can_be_chosen_and_moved(editor: Editor) -> None:
    editor.drop("large.json", "application/json", big(210, placed=True).encode())
    picture = editor.page.locator(".far-picture")
    expect(picture).to_be_attached()
    editor.settled()
    expect(editor.page.locator(".react-flow__edge")).to_have_count(0)
    expect(editor.node("sample_5")).to_have_attribute("aria-label", "Node Sample")
    x, y = middle(editor, "sample_5")
    assert editor.page.evaluate(COLOURED, [x, y]) == 255
    assert editor.page.evaluate(COLOURED, [x, y - 60]) == 0

    editor.page.mouse.click(x, y)
    expect(editor.page.locator(".react-flow__node.selected")).to_have_count(1)
    before = editor.document()["view"]["nodes"]["sample_5"]
    editor.page.mouse.move(x, y)
    editor.page.mouse.down()
    editor.page.mouse.move(x, y - 60, steps=8)
    editor.page.mouse.up()
    assert editor.document()["view"]["nodes"]["sample_5"]["y"] < before["y"] - 100
    editor.page.wait_for_function(f"at => ({COLOURED})(at) === 255", arg=[x, y - 60])

    editor.press("1")
    expect(picture).to_have_count(0)
    editor.press("f")
    expect(picture).to_be_attached()


def test_a_node_keeps_the_focus_while_the_view_moves(editor: Editor) -> None:
    editor.drop("large.json", "application/json", big(210, placed=True).encode())
    editor.settled()
    editor.node("sample_5").locator("xpath=..").focus()
    focused = "document.activeElement.dataset.id"
    assert editor.page.evaluate(focused) == "sample_5"
    x, y = middle(editor, "sample_5")
    editor.page.mouse.move(x, y - 60)
    editor.page.mouse.down(button="middle")
    editor.page.mouse.move(x + 40, y - 60, steps=4)
    expect(editor.page.locator(".canvas.is-moving")).to_be_attached()
    editor.page.mouse.up(button="middle")
    expect(editor.page.locator(".canvas.is-moving")).to_have_count(0)
    assert editor.page.evaluate(focused) == "sample_5"
    assert middle(editor, "sample_5") == (x + 40, y)


def test_the_map_shows_what_is_seen_and_a_press_on_it_goes_there(editor: Editor) -> None:
    editor.drop("wide.json", "application/json", big(84, placed=True).encode())
    editor.settled()
    editor.press("1")
    editor.settled()
    shown = editor.page.locator(".overview-view")
    area = editor.page.get_by_role("img", name="Map of the workflow").bounding_box()
    assert area is not None
    editor.page.mouse.click(area["x"] + 16, area["y"] + area["height"] / 2)
    seen = editor.node("loader_0")
    expect(seen).to_be_in_viewport()
    expect(editor.node("save_11")).not_to_be_in_viewport()
    frame = shown.bounding_box()
    assert frame is not None
    assert abs(frame["x"] + frame["width"] / 2 - area["x"] - 16) < 2
    editor.press("f")
    expect(editor.node("save_11")).to_be_in_viewport()
    editor.page.wait_for_function(
        "width => document.querySelector('.overview-view').getBoundingClientRect().width > 3 * width",
        arg=frame["width"],
    )


def middle(editor: Editor, node: str) -> tuple[float, float]:
    """The middle of a node on the page."""
    box = editor.node(node).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
