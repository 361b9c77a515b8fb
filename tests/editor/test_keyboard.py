"""The editor without a mouse."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.editor.editor import Editor

FOCUSED = "document.activeElement?.getAttribute('aria-label') ?? ''"


class Typist:
    """Somebody with a keyboard alone: no method here clicks."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.page = editor.page

    def command(self, name: str) -> None:
        self.page.keyboard.press("Control+k")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")

    def pick(self, query: str) -> None:
        """Write into the list that is open, and take what is found once it is the right one."""
        self.page.keyboard.type(query)
        chosen = self.page.locator('[role="option"][aria-selected="true"]')
        expect(chosen).to_have_count(1)
        for word in query.split():
            expect(chosen).to_contain_text(word, ignore_case=True)
        self.page.keyboard.press("Enter")

    def add(self, query: str, id_: str) -> None:
        self.page.keyboard.press("Space")
        self.pick(query)
        self.focused(id_)

    def focused(self, id_: str) -> None:
        """Wait until a node has the focus."""
        expect(self.page.locator(f'.react-flow__node[data-id="{id_}"]')).to_be_focused()

    def link(self, socket: str, other: str) -> None:
        """From a socket of the selected node to another one."""
        self.page.keyboard.press("k")
        self.pick(socket)
        expect(self.page.get_by_placeholder("Link ", exact=False)).to_be_visible()
        self.pick(other)

    def grow(self, socket: str, query: str, id_: str) -> None:
        """Link a socket of the selected node to a new one."""
        self.link(socket, "A new node")
        expect(self.page.get_by_placeholder("Search nodes…")).to_be_visible()
        self.pick(query)
        self.focused(id_)

    def tab_to(self, label: str) -> None:
        """Press Tab until a field has the focus."""
        for _ in range(40):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(FOCUSED) == label:
                return
        raise AssertionError(f"Tab does not lead to {label}")

    def write(self, label: str, text: str) -> None:
        self.tab_to(label)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Escape")  # back to the node


def test_text_to_image_from_an_empty_canvas_by_keyboard_alone(editor: Editor) -> None:
    hand = Typist(editor)
    hand.command("New workflow")
    expect(editor.page.locator(".canvas-hint")).to_be_visible()
    hand.add("load checkp", "checkpoint")
    hand.tab_to("file")
    editor.press("Enter")
    expect(editor.page.get_by_role("option", name="tiny.safetensors")).to_be_visible()
    hand.pick("tiny.safe")
    expect(editor.field("checkpoint", "file")).to_be_focused()
    editor.press("Escape")
    hand.focused("checkpoint")
    hand.grow("output text encoder", "encode text", "encode")
    hand.write("text", "a red circle on a blue background")
    hand.focused("encode")
    hand.grow("output conditioning", "sample", "sample")
    hand.link("input model", "load checkpoint model")
    hand.focused("sample")
    hand.grow("input negative", "encode text", "encode_2")
    hand.link("input encoder", "load checkpoint text encoder")
    hand.focused("encode_2")
    editor.press("Alt+ArrowRight")
    hand.focused("sample")
    hand.grow("input latent", "empty latent", "empty")
    for side in ("width", "height"):
        hand.tab_to(side)
        editor.press("Control+a")
        editor.page.keyboard.type("128")
        editor.press("Enter")
        editor.press("Escape")
    editor.press("Alt+ArrowRight")
    hand.focused("sample")
    hand.grow("output latent", "decode latent", "decode")
    hand.link("input vae", "load checkpoint vae")
    hand.focused("decode")
    hand.grow("output image", "save image", "save")
    expect(editor.page.locator(".node.has-problems")).to_have_count(0)
    editor.press("Control+Enter")
    editor.wait_for_picture("save")


def test_nodes_are_moved_by_arrow_keys_and_that_can_be_undone(editor: Editor) -> None:
    editor.open_template("text-to-image")
    before = editor.document()["view"]["nodes"]
    editor.press("Alt+ArrowRight")
    Typist(editor).focused("loader")
    for _ in range(3):
        editor.press("ArrowDown")
    after = editor.document()["view"]["nodes"]
    assert after["loader"]["y"] > before["loader"]["y"]
    assert {**after, "loader": before["loader"]} == before
    editor.press("Control+z")
    assert editor.document()["view"]["nodes"] == before


def test_a_link_that_does_not_fit_says_why_in_the_list(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("Alt+ArrowRight")
    hand = Typist(editor)
    hand.focused("loader")
    hand.link("output vae", "not fit")
    refused = editor.page.get_by_role("option", name="Sample · latent")
    editor.page.keyboard.press("Control+a")
    editor.page.keyboard.press("Delete")
    expect(refused).to_contain_text("vae is not latent")
    expect(refused).to_have_attribute("aria-disabled", "true")


def test_a_link_is_taken_off_by_keyboard(editor: Editor) -> None:
    editor.open_template("text-to-image")
    hand = Typist(editor)
    editor.press("Alt+ArrowRight")
    hand.focused("loader")
    editor.press("Alt+ArrowRight")  # along a link of the checkpoint
    node = editor.page.locator(".node.is-selected").get_attribute("data-node") or ""
    count = editor.page.locator(".react-flow__edge").count()
    hand.link("input encoder", "Remove the link")
    expect(editor.page.locator(".react-flow__edge")).to_have_count(count - 1)
    hand.focused(node)


def test_no_key_of_a_focused_node_is_lost(editor: Editor) -> None:
    editor.open_template("text-to-image")
    hand = Typist(editor)
    editor.press("Alt+ArrowRight")
    hand.focused("loader")
    places = editor.document()["view"]["nodes"]
    editor.press("Control+Shift+Enter")  # up to here: the node is still selected
    expect(editor.node("loader")).to_have_attribute("data-state", re.compile("ran|memory"), timeout=60_000)
    expect(editor.page.locator(".node.is-selected")).to_have_attribute("data-node", "loader")
    editor.press("Control+g")
    hand.focused("subgraph")
    editor.press("Control+ArrowDown")  # into it, not a step down
    expect(editor.page.locator(".node.boundary")).to_have_count(2)
    editor.press("Control+ArrowUp")
    expect(editor.node("subgraph")).to_be_visible()
    editor.press("Control+z")
    assert editor.document()["view"]["nodes"] == places
    editor.press("Control+Enter")
    editor.wait_for_picture("save")
