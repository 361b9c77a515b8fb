"""The graph as a list: built, found, run and heard without a canvas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AXE, Auditor
from tests.editor.test_keyboard import Typist


class Reader(Typist):
    """Somebody with a keyboard alone, in the list."""

    def section(self, id_: str) -> Locator:
        return self.page.locator(f'.list-node[data-node="{id_}"]')

    def line(self, id_: str, row: str) -> Locator:
        return self.section(id_).locator(f'[data-row="{row}"]')

    def focused(self, id_: str) -> None:
        expect(self.section(id_).locator(".list-open")).to_be_focused()

    def link(self, socket: str, other: str) -> None:
        super().link(socket, other)
        if other != "A new node":
            expect(self.page.locator("[data-row] :focus")).to_have_count(1)  # back at the line

    def order(self) -> list[str]:
        sections = self.page.locator(".list-node").all()
        return [section.get_attribute("data-node") or "" for section in sections]


@pytest.fixture
def reader(editor: Editor) -> Reader:
    return Reader(editor)


def test_text_to_image_is_built_and_run_in_the_list_by_keyboard_alone(reader: Reader, editor: Editor) -> None:
    page = editor.page
    reader.command("New workflow")
    editor.press("l")
    expect(page.get_by_text("No nodes yet")).to_be_visible()
    reader.add("load checkp", "checkpoint")
    reader.tab_to("file")
    editor.press("Enter")
    expect(page.get_by_role("option", name="tiny.safetensors")).to_be_visible()
    reader.pick("tiny.safe")
    expect(reader.section("checkpoint").get_by_label("file", exact=True)).to_be_focused()
    editor.press("Escape")
    reader.focused("checkpoint")
    reader.grow("output text encoder", "encode text", "encode")
    reader.write("text", "a red circle on a blue background")
    reader.focused("encode")
    reader.grow("output conditioning", "sample", "sample")
    reader.link("input model", "load checkpoint model")
    # The focus stays at the line, which tells the link now.
    jump = reader.line("sample", "in:model").get_by_role("button").first
    expect(jump).to_be_focused()
    expect(jump).to_have_text("from Load checkpoint · model")
    reader.grow("input negative", "encode text", "encode_2")
    reader.link("input encoder", "load checkpoint text encoder")
    editor.press("Escape")
    reader.focused("encode_2")
    reader.tab_to("Link conditioning…")
    editor.press("Shift+Tab")  # who reads it, as a way there
    editor.press("Enter")
    reader.focused("sample")
    reader.grow("input latent", "empty latent", "empty")
    for side in ("width", "height"):
        reader.write(side, "128")
        reader.focused("empty")
    editor.press("Alt+ArrowRight")
    reader.focused("sample")
    reader.grow("output latent", "decode latent", "decode")
    reader.link("input vae", "load checkpoint vae")
    editor.press("Escape")
    reader.grow("output image", "save image", "save")
    expect(page.locator(".list-node.has-problems")).to_have_count(0)
    assert reader.order() == ["checkpoint", "encode", "encode_2", "empty", "sample", "decode", "save"]
    editor.press("Control+Enter")
    expect(page.locator("[data-status]")).to_contain_text("The run is done", timeout=60_000)
    expect(reader.section("save").locator('.node-pictures img[src^="/api/"]')).to_be_visible()


def test_nodes_are_renamed_bypassed_and_removed_where_they_stand(reader: Reader, editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("l")
    reader.section("sample").locator(".list-open").focus()
    editor.press("F2")
    editor.page.keyboard.type("My sampler")
    editor.press("Enter")
    reader.focused("sample")
    expect(reader.section("sample").locator(".list-title")).to_have_text("My sampler")
    expect(reader.line("decode", "in:latent")).to_contain_text("from My sampler · latent")
    editor.press("Control+b")
    expect(reader.section("sample")).to_contain_text("bypassed")
    # The same from the menu, which names the shortcut.
    reader.section("sample").get_by_role("button", name="More for My sampler").press("Enter")
    entry = editor.page.get_by_role("menuitem", name="Bypass")
    expect(entry).to_contain_text("Ctrl B")
    entry.press("Enter")
    expect(reader.section("sample")).not_to_contain_text("bypassed")
    reader.section("sample").get_by_role("button", name="More for My sampler").press("Enter")
    editor.page.get_by_role("menuitem", name="Rename").press("Enter")
    expect(reader.section("sample").get_by_label("Title")).to_be_focused()
    editor.page.keyboard.type("Ours")
    editor.press("Enter")
    reader.focused("sample")
    expect(reader.section("sample").locator(".list-title")).to_have_text("Ours")
    before = reader.order()
    reader.section("sample").locator(".list-open").focus()
    editor.press("Delete")
    reader.focused(before[before.index("sample") + 1])  # nobody is thrown back to the top
    expect(reader.line("decode", "in:latent")).to_contain_text("needs a link")
    expect(reader.line("positive", "out:conditioning")).to_contain_text("read by no node")
    editor.press("Control+z")
    expect(reader.section("sample")).to_be_visible()


def test_a_node_is_found_in_the_list_and_on_the_canvas(reader: Reader, editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.field("positive", "text").fill("a quokka")
    editor.press("Escape")
    editor.press("Control+f")
    reader.pick("decode")
    expect(editor.page.locator('.react-flow__node[data-id="decode"]')).to_be_focused()
    expect(editor.page.locator(".node.is-selected")).to_have_attribute("data-node", "decode")
    editor.press("l")
    expect(reader.section("decode")).to_have_class("list-node is-selected")  # one selection for both
    editor.press("Control+f")
    expect(editor.page.locator(".list-filter")).to_be_focused()
    editor.page.keyboard.type("quokka")  # also what is written in a node
    expect(reader.section("decode")).to_be_hidden()
    editor.press("Enter")
    reader.focused("positive")
    expect(reader.section("decode")).to_be_visible()


def test_one_walks_and_adds_from_a_heading(reader: Reader, editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("l")
    order = reader.order()
    reader.section(order[0]).locator(".list-open").focus()
    editor.press("Alt+ArrowDown")
    reader.focused(order[1])
    editor.press("Alt+ArrowUp")
    reader.focused(order[0])
    editor.press("Alt+ArrowRight")  # along a link
    reader.focused("positive")
    editor.press("Space")  # is for the heading, which it closes
    heading = reader.section("positive").locator(".list-open")
    expect(heading).to_have_attribute("aria-expanded", "false")
    editor.press("a")
    reader.pick("decode latent")
    reader.focused("decode_2")


def test_a_value_is_looked_at_from_the_list(reader: Reader, editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("l")
    reader.line("latent", "in:width").get_by_label("width", exact=True).fill(
        "136"
    )  # which nobody computed yet
    editor.press("Enter")
    reader.line("latent", "out:latent").get_by_role("button", name="Look at latent").press("Enter")
    expect(editor.page.locator(".look")).to_contain_text("Run up to here")
    editor.press("Enter")
    expect(editor.page.locator(".look-first")).to_be_visible(timeout=60_000)


def test_the_inside_of_a_subgraph_is_a_list_too(reader: Reader, editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("l")
    reader.section("sample").locator(".list-open").focus()
    editor.press("Control+a")
    expect(editor.page.locator(".list-node.is-selected")).to_have_count(7)
    editor.press("Control+g")
    expect(editor.page.locator(".list-node")).to_have_count(1)
    editor.press("Control+ArrowDown")
    expect(editor.page.locator(".list-node")).to_have_count(9)
    order = reader.order()
    assert (order[0], order[-1]) == ("@in", "@out")
    expect(reader.section("@in")).to_contain_text("new input")
    reader.section("@in").get_by_label("Name of “seed”").fill("luck")
    editor.press("Enter")
    expect(reader.line("sample", "in:seed")).to_contain_text("from Inputs · luck")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_list_has_no_violation(open_editor: Callable[[], Editor], theme: str) -> None:
    editor = open_editor()
    page = editor.page
    page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
    page.evaluate("theme => { localStorage.setItem('nodegraph.theme', theme); }", theme)
    page.reload()
    editor.open_template("text-to-image")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    auditor = Auditor(editor, theme)
    editor.press("l")
    auditor.look("list")
    page.locator('.list-node[data-node="latent"] .list-open').focus()
    editor.press("Delete")
    expect(page.locator(".list-node.has-problems")).to_have_count(1)
    auditor.look("problems")
    editor.press("Control+z")
    page.get_by_role("button", name="More for denoise").click()
    auditor.look("menu of an input")
    editor.press("Escape")
    editor.run()
    page.locator('.list-node[data-node="save"] .node-pictures img[src^="/api/"]').wait_for(timeout=60_000)
    auditor.look("result")
    auditor.judge()
