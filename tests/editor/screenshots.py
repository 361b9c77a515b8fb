"""The pictures of docs/editor.md: `python -m tests.editor.screenshots docs/images` takes them anew."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks.chromium import QUIET, installed
from tests.editor.editor import Editor
from tests.editor.test_ways import along, way_points
from tests.server.conftest import Server

TEMPLATE = "text-to-image"
STEPS = itertools.count(20)


class Photographer:
    """Opens a page for each picture, and takes it when the page stands still."""

    def __init__(self, browser: Browser, server: Server, folder: Path) -> None:
        self.browser, self.server, self.folder = browser, server, folder

    def take(
        self, name: str, act: Callable[[Editor], None], scheme: Literal["dark", "light"] = "dark"
    ) -> None:
        context = self.browser.new_context(
            viewport={"width": 1440, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{self.server.port}/?token={self.server.token}")
        page.wait_for_selector(".template img")
        editor = Editor(page)
        act(editor)
        editor.settled()
        page.screenshot(path=self.folder / f"editor-{name}.png")
        context.close()
        print(name)


def gallery(editor: Editor) -> None:
    """The start page, with all its pictures."""
    editor.page.wait_for_load_state("networkidle")


def graph(editor: Editor) -> None:
    """The first template as it is opened."""
    editor.open_template(TEMPLATE)
    expect(editor.node("save").locator(".plan")).to_be_visible()


def running(editor: Editor) -> None:
    """A sampler at work. It is asked for a picture that nobody made before."""
    graph(editor)
    editor.field("sample", "steps").fill("60")
    editor.run()
    expect(editor.node("sample").locator(".node-pictures img")).to_be_visible(timeout=60_000)
    editor.page.mouse.move(12, 400)


def ran(editor: Editor) -> None:
    """The graph with its picture, and that of the sampler: nothing comes from the cache."""
    graph(editor)
    editor.field("sample", "steps").fill(str(next(STEPS)))
    editor.press("Enter")
    editor.run()
    editor.wait_for_picture("save")
    editor.press("Escape")
    editor.press("f")
    editor.settled()
    editor.click_canvas()


def search(editor: Editor) -> None:
    ran(editor)
    editor.drag(editor.socket("loader", "out:model"), 860, 560)
    editor.page.mouse.up()
    expect(editor.page.locator(".add-menu").get_by_role("option").first).to_be_visible()


def refused(editor: Editor) -> None:
    ran(editor)
    target = editor.socket("sample", "in:latent").bounding_box() or {"x": 0, "y": 0}
    editor.drag(editor.socket("loader", "out:vae"), target["x"] + 5, target["y"] + 5)


def problems(editor: Editor) -> None:
    ran(editor)
    editor.node("latent").locator(".node-head h2").click()
    editor.press("Delete")
    expect(editor.page.locator(".node.has-problems")).to_have_count(1)
    editor.press("p")


def plan(editor: Editor) -> None:
    ran(editor)
    editor.press("p")


def value(editor: Editor) -> None:
    ran(editor)
    editor.node("sample").get_by_role("button", name="latent", exact=True).click()
    expect(editor.page.locator(".look-first")).to_contain_text("1 latent", timeout=30_000)


def form(editor: Editor) -> None:
    ran(editor)
    editor.page.get_by_role("button", name="Form", exact=True).click()
    editor.page.wait_for_timeout(500)


def subgraph(editor: Editor) -> None:
    ran(editor)
    editor.node("sample").locator(".node-head h2").click()
    editor.node("decode").locator(".node-head h2").click(modifiers=["Shift"])
    editor.press("Control+g")
    expect(editor.page.locator('.react-flow__node[data-id="subgraph"]')).to_be_focused()
    editor.press("Control+ArrowDown")
    expect(editor.page.get_by_role("button", name="Leave the subgraph")).to_be_visible()
    editor.settled()
    editor.click_canvas()


def keyboard(editor: Editor) -> None:
    ran(editor)
    editor.node("sample").locator(".node-head h2").click()
    editor.press("k")
    editor.page.get_by_role("option", name="model").first.click()


def list_(editor: Editor) -> None:
    ran(editor)
    editor.press("l")
    editor.page.wait_for_timeout(300)


def ways(editor: Editor) -> None:
    """A link around all nodes, and a comment."""
    ran(editor)
    for index, (part, x) in enumerate(((0.1, 312), (0.96, 856))):
        editor.page.mouse.dblclick(*along(editor, "loader.vae>decode.vae", part))
        expect(way_points(editor)).to_have_count(index + 1)
        editor.drag(way_points(editor).nth(index), x, 740)
        editor.page.mouse.up()
    editor.node("sample").locator(".node-head h2").click()
    editor.press("Shift+C")
    editor.page.keyboard.type("Twenty steps are enough for a draft.")
    editor.press("Enter")
    editor.settled()
    editor.click_canvas()


def main(folder: Path) -> None:
    """Take all pictures."""
    path = installed()
    assert path is not None, "there is no Chromium on this system"
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = Server(Path(data) / "data")
        server.start()
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        try:
            camera = Photographer(browser, server, folder)
            camera.take("gallery", gallery)
            camera.take("graph", graph)
            camera.take("running", running)
            for name, act in {
                "dark": ran, "search": search, "refused": refused, "problems": problems, "plan": plan,
                "value": value, "form": form, "subgraph": subgraph, "keyboard": keyboard, "list": list_,
                "ways": ways,
            }.items():  # fmt: skip
                camera.take(name, act)
            camera.take("light", ran, "light")
        finally:
            browser.close()
            server.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
