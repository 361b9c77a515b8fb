"""The library of nodes at the left side: looked through, dragged from, liked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AXE, Auditor
from tests.editor.test_small import ON_A_LINK


class Library:
    """The open library."""

    def __init__(self, editor: Editor) -> None:
        self.editor, self.page = editor, editor.page
        self.box = editor.page.get_by_role("complementary", name="Library of nodes")
        self.search = self.box.get_by_label("Search nodes")

    def open(self) -> None:
        self.page.get_by_role("button", name="Library of nodes", exact=True).click()
        expect(self.search).to_be_focused()

    def type(self, id_: str) -> Locator:
        return self.box.locator(f'[data-type="{id_}"]').first

    def find(self, query: str, id_: str) -> Locator:
        self.search.fill(query)
        expect(self.type(id_)).to_be_visible()
        return self.type(id_)

    def drag(self, line: Locator, x: float, y: float) -> None:
        self.editor.drag(line.locator(".shelf-title"), x, y)


@pytest.fixture
def library(editor: Editor) -> Library:
    return Library(editor)


def kept(editor: Editor, name: str) -> Any:
    return editor.page.evaluate(f"localStorage.getItem('nodegraph.{name}')")


def test_nodes_are_dragged_onto_the_canvas_and_into_a_link(editor: Editor, library: Library) -> None:
    page = editor.page
    editor.open_template("text-to-image")
    expect(library.box).to_have_count(0)  # calm, until it is asked for
    library.open()
    canvas = page.locator(".canvas").bounding_box()
    assert canvas is not None
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] - 60
    library.drag(library.find("mask rectangle", "mask.rectangle"), x, y)
    page.mouse.up()
    head = editor.node("rectangle").locator(".node-head")
    expect(head).to_be_visible()
    box = head.bounding_box()
    assert box is not None
    assert box["x"] < x < box["x"] + box["width"]
    assert box["y"] - 2 <= y <= box["y"] + box["height"]
    assert kept(editor, "shelf.recent") == '["mask.rectangle"]'
    before = editor.document()
    edge_x, edge_y = page.evaluate(ON_A_LINK)
    edges = page.locator(".react-flow__edge")
    count = edges.count()
    library.drag(library.find("mask rectangle", "mask.rectangle"), edge_x, edge_y)
    expect(page.locator(".drop-hint")).to_contain_text("does not fit into this link")
    page.mouse.up()
    expect(editor.node("rectangle_2")).to_be_visible()
    expect(edges).to_have_count(count)
    editor.press("Control+z")
    library.drag(library.find("logic if", "logic.if"), edge_x, edge_y)
    expect(page.locator(".drop-hint.is-fitting")).to_contain_text("Put If between")
    page.mouse.up()
    expect(edges).to_have_count(count + 1)
    expect(page.locator(".drop-hint")).to_have_count(0)
    editor.press("Control+z")
    expect(edges).to_have_count(count)
    assert editor.document() == before


def test_the_library_is_walked_by_keyboard_and_remembers(editor: Editor, library: Library) -> None:
    page = editor.page
    editor.open_empty()
    editor.press("Shift+a")
    expect(library.search).to_be_focused()
    editor.press("ArrowDown")
    first = library.box.get_by_role("treeitem").first
    expect(first).to_be_focused()
    editor.press("ArrowRight")
    expect(first).to_have_attribute("aria-expanded", "true")
    editor.press("ArrowRight")
    line = library.box.locator(".shelf-type:focus")
    expect(line).to_have_count(1)
    title = line.get_attribute("aria-label") or ""
    expect(library.box.locator(".shelf-about h3")).to_contain_text(title)
    editor.press("Delete")  # means nothing here
    editor.press("Enter")
    expect(page.locator(".node")).to_have_count(1)
    expect(page.locator(".shelf-type:focus")).to_have_count(1)  # goes on here
    editor.press("Tab")
    expect(library.box.locator(".shelf-star:focus")).to_have_accessible_name(f"Add {title} to the favourites")
    editor.press("Enter")
    expect(library.box.get_by_role("treeitem", name="Favourites")).to_be_visible()
    page.reload()
    expect(library.box.get_by_role("treeitem", name="Favourites")).to_be_visible()
    expect(library.box.get_by_role("treeitem", name=title, exact=True)).to_have_count(3)
    library.search.focus()
    library.search.fill("no such thing at all")
    expect(library.box).to_contain_text("No node is found")
    library.find("image load", "image.load")
    editor.press("Enter")
    expect(page.locator(".node")).to_have_count(2)
    library.search.fill("")
    library.box.get_by_role("button", name="Close the library").click()
    assert kept(editor, "shelf") == "closed"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_library_has_no_violation(open_editor: Callable[[], Editor], theme: str) -> None:
    editor = open_editor()
    page, library = editor.page, Library(editor)
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    auditor = Auditor(editor, theme)
    editor.open_template("text-to-image")
    editor.click_canvas()
    editor.press("1")
    library.open()
    auditor.look("library")
    library.box.get_by_role("treeitem", name="Latent", exact=True).click()
    library.type("latent.empty").hover()
    expect(library.box.locator(".shelf-about h3")).to_contain_text("latent.empty")
    auditor.look("a node of the library")
    editor.press("Escape")
    editor.press("l")
    library.find("sampl", "sample").dblclick()
    expect(page.locator(".list-node")).to_have_count(8)
    auditor.look("library beside the list")
    auditor.judge()
