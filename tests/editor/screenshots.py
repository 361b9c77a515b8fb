"""The pictures of docs/editor.md: `python -m tests.editor.screenshots docs/images` takes them anew."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.chromium import QUIET, installed
from tests.editor import scenes
from tests.editor.editor import Editor
from tests.editor.test_fields import await_fields
from tests.editor.test_small import Phone
from tests.server.conftest import Server

SCENES = {
    "gallery": scenes.gallery, "graph": scenes.graph, "running": scenes.running, "dark": scenes.ran,
    "search": scenes.search, "refused": scenes.refused, "problems": scenes.problems, "plan": scenes.plan,
    "value": scenes.value, "form": scenes.form, "subgraph": scenes.subgraph, "keyboard": scenes.keyboard,
    "list": scenes.list_, "ways": scenes.ways, "compare": scenes.compare, "groups": scenes.groups,
    "library": scenes.library, "mask": scenes.mask, "sweep": scenes.sweep,
}  # fmt: skip
OTHERS = ("light", "small", "fields")
GAP = 24


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
        editor = Editor(self.open(context.new_page()))
        act(editor)
        editor.settled()
        editor.page.screenshot(path=self.path(name))
        context.close()
        print(name)

    def take_phone(self, name: str) -> None:
        """Four views of one workflow, side by side."""
        context = self.browser.new_context(
            viewport={"width": 360, "height": 740}, device_scale_factor=1, has_touch=True, is_mobile=True,
            color_scheme="dark", reduced_motion="reduce",
        )  # fmt: skip
        phone = Phone(Editor(self.open(context.new_page())))
        views = [Image.open(io.BytesIO(view)) for view in phone_views(phone)]
        width = GAP + sum(view.width + GAP for view in views)
        sheet = Image.new("RGB", (width, views[0].height + 2 * GAP), "#7d8290")
        for index, view in enumerate(views):
            sheet.paste(view, (GAP + index * (view.width + GAP), GAP))
        sheet.save(self.path(name))
        context.close()
        print(name)

    def open(self, page: Page) -> Page:
        page.goto(f"http://127.0.0.1:{self.server.port}/?token={self.server.token}")
        page.wait_for_selector(".template img")
        return page

    def path(self, name: str) -> Path:
        return self.folder / f"editor-{name}.png"


def phone_views(phone: Phone) -> Iterator[bytes]:
    """The list of a workflow that ran, its canvas, its form and the results, one after the other."""
    page = phone.page
    phone.open_template(scenes.TEMPLATE)
    page.get_by_role("button", name="Run", exact=True).tap()
    picture = page.locator('.list-node[data-node="save"] .node-pictures img[src^="/api/"]')
    expect(picture).to_be_visible(timeout=60_000)
    page.locator(".list-view").evaluate("list => list.scrollTo(0, 0)")
    yield page.screenshot()
    phone.view("Graph")
    phone.editor.settled()
    yield page.screenshot()
    phone.view("Form")
    expect(page.locator(".form-view")).to_be_visible()
    page.wait_for_timeout(500)  # the browser's own mark of a tap fades
    yield page.screenshot()
    phone.view("Results")
    expect(page.locator(".results img").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    yield page.screenshot()


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as data:
        server = Server(Path(data) / "data", options=options)
        server.start()
        try:
            yield server
        finally:
            server.end()


def main(folder: Path, *named: str) -> None:
    """Take all pictures, or those that are named."""
    path = installed()
    assert path is not None, "there is no Chromium on this system"
    names = set(named or (*SCENES, *OTHERS))
    unknown = names.difference(SCENES, OTHERS)
    assert not unknown, f"there is no picture {', '.join(unknown)}: {', '.join((*SCENES, *OTHERS))}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        with serving() as server:
            camera = Photographer(browser, server, folder)
            for name, act in SCENES.items():
                if name in names:
                    camera.take(name, act)
            if "light" in names:
                camera.take("light", scenes.ran, "light")
            if "small" in names:
                camera.take_phone("small")
        if "fields" in names:
            with serving("--pack", "tests.editor.fieldpack:PACK") as server:
                await_fields(server)
                Photographer(browser, server, folder).take("fields", scenes.fields)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
