"""Order on the canvas: collapsed nodes, alignment, snapping to the dots."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.editor.editor import Editor


def select(editor: Editor, *ids: str) -> None:
    for id_ in ids:
        editor.node(id_).locator(".node-head").click(
            position={"x": 110, "y": 18}, modifiers=["Shift"] if id_ != ids[0] else []
        )


def command(editor: Editor, title: str) -> None:
    """An action from the palette."""
    editor.press("Control+k")
    editor.page.get_by_placeholder("Type an action").fill(title)
    editor.press("Enter")


def places(editor: Editor) -> Any:
    return editor.document()["view"]["nodes"]


def test_collapsed_nodes_keep_their_links_and_run_as_before(editor: Editor) -> None:
    editor.open_template("text-to-image")
    start = editor.document()
    edges = editor.page.locator(".react-flow__edge")
    count = edges.count()
    open_height = (editor.node("sample").bounding_box() or {"height": 0})["height"]
    select(editor, "positive", "sample")
    editor.press("c")
    expect(editor.field("positive", "text")).to_have_count(0)
    assert editor.document()["view"]["collapsed"] == ["positive", "sample"]
    assert editor.document()["nodes"] == start["nodes"]
    editor.page.wait_for_function(
        "most => document.querySelector('.node[data-node=sample]').getBoundingClientRect().height < most",
        arg=open_height / 3,
    )
    expect(edges).to_have_count(count)
    editor.run()
    editor.wait_for_picture("save")
    editor.node("positive").get_by_role("button", name="Open the node").click()
    expect(editor.field("positive", "text")).to_be_visible()
    assert editor.document()["view"]["collapsed"] == ["sample"]
    # The button does not keep the keys: Space looks for a node to add, as anywhere on the canvas.
    expect(editor.page.locator('.react-flow__node[data-id="positive"]')).to_be_focused()
    editor.press("Space")
    expect(editor.page.get_by_placeholder("Search nodes…")).to_be_focused()
    editor.press("Escape")
    editor.click_canvas()
    while editor.page.get_by_role("button", name="Undo").is_enabled():
        editor.press("Control+z")
    assert editor.document() == start


def test_nodes_are_aligned_and_spread_and_that_is_undone(editor: Editor) -> None:
    editor.open_template("text-to-image")
    before = places(editor)
    select(editor, "sample", "decode", "save")
    command(editor, "Align top edges")
    after = places(editor)
    assert after["sample"]["y"] == after["decode"]["y"] == after["save"]["y"]
    assert after["save"]["y"] == min(before[id_]["y"] for id_ in ("sample", "decode", "save"))
    command(editor, "Equal gaps from left to right")
    editor.press("Control+z")
    editor.press("Control+z")
    assert places(editor) == before
    editor.click_canvas()
    command(editor, "Align top edges")
    expect(editor.page.get_by_text("Select two nodes or more")).to_be_visible()


def test_dragged_nodes_keep_to_the_dots_once_that_is_chosen(editor: Editor) -> None:
    editor.open_template("text-to-image")
    command(editor, "Snap to the dots")
    head = editor.node("save").locator(".node-head")
    box = head.bounding_box()
    assert box is not None
    editor.drag(head, box["x"] + box["width"] / 2 + 31, box["y"] + box["height"] / 2 + 53)
    editor.page.mouse.up()
    place = places(editor)["save"]
    assert (place["x"] % 24, place["y"] % 24) == (0, 0)
    editor.page.reload()
    editor.page.wait_for_selector(".node")
    assert editor.page.evaluate("localStorage.getItem('nodegraph.snap')") == "yes"


def test_a_link_that_is_dropped_on_a_node_finds_its_place(editor: Editor) -> None:
    editor.open_template("text-to-image")
    output, decode = editor.socket("latent", "out:latent"), editor.node("decode").locator(".node-head")

    def read() -> Any:
        return editor.document()["nodes"]["decode"]["inputs"]["latent"]["from"].split(".")[0]

    assert read() == "sample"
    editor.link(output, decode)
    assert read() == "latent"
    editor.press("Control+z")
    select(editor, "decode")
    editor.press("c")
    editor.link(output, decode)
    assert read() == "latent"
    editor.link(output, editor.node("positive").locator(".node-head"))
    expect(editor.page.get_by_text("“Encode text” has no socket for it (Latent)")).to_be_visible()
