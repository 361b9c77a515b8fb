"""The editor as a person uses it: what is clicked, typed and dragged, and what is seen."""

from __future__ import annotations

import base64
import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  for (const kind of ["dragover", "drop"]) {
    document.querySelector(".app").dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""
KEPT = """() => Object.entries(localStorage).filter(([key]) => key.startsWith("nodegraph.window."))
  .map(([, text]) => text)"""
# Whatever stands or moves on the canvas, as text; the same for a while, and it stands still.
STILL = """() => new Promise((done) => {
  const seen = () => [...document.querySelectorAll(".react-flow__viewport, .react-flow__node")]
    .map((one) => `${one.style.transform} ${one.offsetWidth} ${one.offsetHeight}`).join();
  let last = "", frames = 0, since = 0;
  const look = () => {
    const now = seen();
    const busy = document.querySelector('.canvas[aria-busy="true"]') !== null;
    if (busy || now !== last) [last, frames, since] = [now, 0, performance.now()];
    frames += 1;
    if (frames > 6 && performance.now() - since > 150) done(); else requestAnimationFrame(look);
  };
  look();
})"""


class Editor:
    """One page of the editor."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open_template(self, name: str) -> None:
        self.page.click(f'[data-template="{name}"]')
        self.page.wait_for_selector(".node")
        self.settled()

    def open_empty(self) -> None:
        self.page.get_by_role("button", name="Empty canvas").click()
        self.page.wait_for_selector(".canvas-hint")

    def settled(self) -> None:
        """Wait until the view stands still: a first layout is measured, then brought into view."""
        self.page.evaluate(STILL)

    def node(self, id_: str) -> Locator:
        return self.page.locator(f'.node[data-node="{id_}"]')

    def field(self, node: str, label: str) -> Locator:
        return self.node(node).get_by_label(label, exact=True)

    def socket(self, node: str, name: str) -> Locator:
        """A socket by its side and name: `in:latent`, `out:model`."""
        return self.node(node).locator(f'.socket[data-handleid="{name}"]')

    def run(self) -> None:
        self.page.get_by_role("button", name="Run", exact=True).click()

    def picture_of(self, node: str) -> Locator:
        """The finished picture of a node (previews are blobs)."""
        return self.node(node).locator('.node-pictures img[src^="/api/"]')

    def wait_for_picture(self, node: str) -> str:
        """The address of a node's finished picture, once it is loaded."""
        picture = self.picture_of(node).first
        expect(picture).to_be_visible(timeout=60_000)
        self.page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=picture.element_handle()
        )
        return picture.get_attribute("src") or ""

    def drag(self, start: Locator, x: float, y: float) -> None:
        """Drag from the middle of something to a place on the screen."""
        box = start.bounding_box()
        assert box is not None
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse.down()
        mouse.move(x - 4, y - 4, steps=6)
        mouse.move(x, y, steps=3)

    def link(self, source: Locator, target: Locator) -> None:
        box = target.bounding_box()
        assert box is not None
        self.drag(source, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.up()

    def add(self, query: str, x: float, y: float) -> None:
        """Double-click on empty canvas, search, and take the first that is found."""
        self.page.mouse.dblclick(x, y)
        self.choose(query)

    def choose(self, query: str) -> None:
        self.page.get_by_placeholder("Search nodes…").fill(query)
        expect(self.page.locator(".add-menu").get_by_role("option").first).to_be_visible(timeout=30_000)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".add-menu")).to_be_hidden()

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    def click_canvas(self) -> None:
        """Take the focus away from fields."""
        self.page.locator(".react-flow__pane").click(position={"x": 12, "y": 12})

    def drop(self, name: str, media_type: str, data: bytes) -> None:
        self.page.evaluate(DROP, [name, media_type, base64.b64encode(data).decode()])

    def document(self) -> Any:
        """The document of the open workflow, as the browser keeps it."""
        self.page.evaluate("() => window.dispatchEvent(new Event('pagehide'))")  # now, not in a while
        kept = [json.loads(text) for text in self.page.evaluate(KEPT)]
        newest = max(kept, key=lambda one: one["at"])
        (tab,) = [tab for tab in newest["tabs"] if tab["id"] == newest["active"]]
        return tab["document"]
