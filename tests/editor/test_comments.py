"""Comments on nodes: written where the node stands, found, shown in the list, and undone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AUDIT, AXE, RULES


def test_a_comment_stays_with_its_node(editor: Editor) -> None:
    editor.open_template("text-to-image")
    page, node = editor.page, editor.node("sample")
    card = page.locator('.react-flow__node[data-id="sample"]')
    node.locator(".node-head h2").click()
    editor.press("1")
    editor.press("Shift+C")
    field = node.get_by_label("Comment on Sample")
    expect(field).to_be_focused()
    field.fill("twenty steps are enough\nfor a draft")
    editor.press("Enter")
    expect(card).to_be_focused()
    comment = node.locator("p.node-comment")
    expect(comment).to_contain_text("twenty steps")
    assert editor.document()["view"]["comments"] == {"sample": "twenty steps are enough\nfor a draft"}
    editor.settled()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(AUDIT, RULES) == []
    # Escape drops what was written; the collapsed node has a mark.
    comment.dblclick()
    field.fill("nonsense")
    editor.press("Escape")
    expect(card).to_be_focused()
    editor.press("c")
    node.get_by_role("button", name="Comment: twenty steps").click()
    expect(field).to_have_value("twenty steps are enough\nfor a draft")
    field.fill("few steps")
    editor.click_canvas()
    expect(field).to_have_count(0)
    editor.press("l")
    expect(page.locator('.list-node[data-node="sample"]')).to_contain_text("few steps")
    page.locator(".list-filter").fill("few")
    expect(page.locator(".list-node")).to_have_count(1)
    editor.press("Escape")
    page.get_by_role("button", name="Graph", exact=True).click()
    for _ in range(3):  # the words, the collapse, the first words
        page.get_by_role("button", name="Undo").click()
    expect(comment).to_have_count(0)
    assert "comments" not in editor.document()["view"]
