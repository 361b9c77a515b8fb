"""The editor on a phone: 360 pixels wide, and fingers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AXE, Auditor

OVERFLOW = """() => {
  const parts = '.app, .stage, .stage > *, .top-bar, .bottom-bar, [role=dialog]';
  const isWide = (one) =>
    one.getBoundingClientRect().right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1;
  return {
    page: document.documentElement.scrollWidth - innerWidth,
    zoom: visualViewport.scale,
    parts: [...document.querySelectorAll(parts)].filter(isWide).map((one) => one.className),
  };
}"""
TARGETS = """() => {
  const parts = '.top-bar, .bottom-bar, .list-view, .side-panel, [role=dialog], .menu';
  return [...document.querySelectorAll(parts)]
    .flatMap((part) => [...part.querySelectorAll('button, [role=menuitem], input')])
    .filter((one) => one.checkVisibility() && !one.disabled && one.role !== 'switch')
    .map((one) => [one.getBoundingClientRect(), one])
    .filter(([{ width, height }]) => width > 0 && Math.min(width, height) < 39.5)
    .map(([{ width, height }, one]) => `${one.className} ${one.ariaLabel} ${width} × ${height}`);
}"""
VIEWPORT = """() => {
  const { transform } = getComputedStyle(document.querySelector('.react-flow__viewport'));
  const { e, f, a } = new DOMMatrix(transform);
  return [e, f, a];
}"""
ON_A_LINK = """() => {
  for (const edge of document.querySelectorAll('.react-flow__edge-interaction')) {
    for (let part = 0.1; part < 1; part += 0.05) {
      const at = edge.getPointAtLength(edge.getTotalLength() * part).matrixTransform(edge.getScreenCTM());
      const hit = document.elementFromPoint(at.x, at.y);
      if (hit?.closest('.react-flow__edge') && !hit.closest('.react-flow__edgeupdater')) return [at.x, at.y];
    }
  }
  return [0, 0];
}"""


class Phone:
    """Somebody with one or two fingers."""

    def __init__(self, editor: Editor) -> None:
        self.editor, self.page = editor, editor.page
        self.cdp: CDPSession = editor.page.context.new_cdp_session(editor.page)

    def open_template(self, name: str) -> None:
        self.page.locator(f'[data-template="{name}"]').tap()
        expect(self.page.locator(".list-node").first).to_be_visible()

    def view(self, name: str) -> None:
        self.page.get_by_role("navigation", name="How the workflow is shown").get_by_role(
            "button", name=name
        ).tap()

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        found = self.page.evaluate(OVERFLOW)
        assert found == {"page": 0, "zoom": 1, "parts": []}, found

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        data: Any = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": data})

    def hold(self, x: float, y: float) -> None:
        """Hold a finger still until a menu is there."""
        self.touch("touchStart", (x, y))
        expect(self.page.get_by_role("menu")).to_be_visible()
        self.touch("touchEnd")

    def middle(self, place: Locator) -> tuple[float, float]:
        box = place.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def viewport(self) -> list[float]:
        """Where the canvas is looked at, and its zoom."""
        return [float(one) for one in self.page.evaluate(VIEWPORT)]


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(
        viewport={"width": 360, "height": 740}, device_scale_factor=2, has_touch=True, is_mobile=True,
        color_scheme="dark", reduced_motion="reduce",
    )  # fmt: skip
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def phone(open_editor: Callable[[], Editor]) -> Phone:
    return Phone(open_editor())


def test_a_first_picture_on_a_phone(phone: Phone) -> None:
    page = phone.page
    phone.fits()
    phone.open_template("text-to-image")
    prompt = page.locator('.list-node[data-node="positive"]').get_by_label("text", exact=True)
    prompt.tap()
    prompt.fill("a violet triangle on a grey background")
    phone.fits()
    page.get_by_role("button", name="Run", exact=True).tap()
    picture = page.locator('.list-node[data-node="save"] .node-pictures img[src^="/api/"]')
    expect(picture).to_be_visible(timeout=60_000)
    phone.view("Queue")
    expect(page.locator(".job.is-done")).to_be_visible()
    phone.fits()
    phone.view("Results")
    page.locator(".results .result").first.tap()
    expect(page.locator(".picture-dialog")).to_be_visible()
    phone.fits()
    expect(page.locator(".parameters")).to_contain_text("violet triangle")
    view = page.locator(".zoom-view")
    x, y = phone.middle(view)
    phone.touch("touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 7):
        phone.touch("touchMove", (x - 30 - 10 * step, y), (x + 30 + 10 * step, y))
    phone.touch("touchEnd")
    assert float(view.get_attribute("data-scale") or "1") > 2
    page.get_by_role("button", name="Close", exact=True).tap()
    phone.view("Form")
    expect(page.locator(".form-result img").first).to_be_visible()
    phone.fits()
    # The choice is remembered.
    page.reload()
    expect(page.locator(".form-view")).to_be_visible()


def test_every_view_fits_and_has_room_for_fingers(phone: Phone) -> None:
    page = phone.page
    phone.open_template("text-to-image")
    phone.fits()
    assert page.evaluate(TARGETS) == []
    for panel in ("Problems", "Results", "Queue"):
        phone.view(panel)
        expect(page.locator(".side-panel")).to_be_visible()
        phone.fits()
        assert page.evaluate(TARGETS) == [], panel
        page.get_by_role("button", name="Close panel").tap()
    entries = ("Search actions", "Open…", "Save under another name…", "Sweep…", "Keyboard shortcuts")
    for entry in entries:
        page.get_by_role("button", name="Menu", exact=True).tap()
        assert page.evaluate(TARGETS) == [], "menu"
        page.get_by_role("menuitem", name=entry).tap()
        expect(page.get_by_role("dialog")).to_be_visible()
        phone.fits()
        assert page.evaluate(TARGETS) == [], entry
        page.get_by_role("dialog").get_by_role("button", name="Close the dialog").tap()
        expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).tap()
    page.get_by_role("menuitem", name="Find a node").tap()
    expect(page.locator(".list-filter")).to_be_focused()
    phone.view("Graph")
    expect(page.locator(".react-flow__node").first).to_be_visible()
    phone.fits()


def test_one_finger_moves_the_canvas_and_two_zoom_it(phone: Phone) -> None:
    phone.open_template("text-to-image")
    phone.view("Graph")
    phone.editor.settled()
    x, y, zoom = phone.viewport()
    phone.touch("touchStart", (180, 620))
    for step in range(1, 7):
        phone.touch("touchMove", (180 - 10 * step, 620 - 5 * step))
    phone.touch("touchEnd")
    after = phone.viewport()
    assert after[0] < x - 40
    assert after[1] < y - 15
    assert after[2] == zoom
    phone.touch("touchStart", (120, 600), (240, 600))
    for step in range(1, 9):
        phone.touch("touchMove", (120 - 8 * step, 600), (240 + 8 * step, 600))
    phone.touch("touchEnd")
    assert phone.viewport()[2] > 1.5 * zoom
    expect(phone.page.get_by_role("menu")).to_be_hidden()


def test_nodes_are_added_linked_and_changed_by_fingers(phone: Phone) -> None:
    page = phone.page
    page.get_by_role("button", name="Empty canvas").tap()
    phone.view("Graph")
    expect(page.get_by_text("Tap twice to add a node")).to_be_visible()
    for query, title, y in (("empty latent", "Empty latent", 130), ("decode latent", "Decode latent", 420)):
        for _ in range(2):
            page.touchscreen.tap(40, y)
        page.get_by_placeholder("Search nodes…").fill(query)
        phone.fits()
        page.get_by_role("option").first.tap()
        expect(page.get_by_role("article", name=f"Node {title}")).to_be_visible()
    phone.editor.settled()
    output = page.locator('.node[data-node="empty"] [data-row="out:latent"]')
    output.tap()
    expect(page.get_by_text("Tap an input to link latent")).to_be_visible()
    # What does not fit is told, and the link still waits for its input.
    page.locator('.node[data-node="decode"] [data-row="in:vae"]').tap()
    expect(page.get_by_text("latent is not vae")).to_be_visible()
    page.locator('.node[data-node="decode"] [data-row="in:latent"]').tap()
    expect(page.locator(".react-flow__edge")).to_have_count(1)
    expect(page.locator(".tap-hint")).to_be_hidden()
    assert phone.editor.document()["nodes"]["decode"]["inputs"]["latent"] == {"from": "empty"}
    # A finger that is held still asks what can be done: with an input, a node, and the canvas.
    phone.hold(*phone.middle(page.locator('.node[data-node="decode"] [data-row="in:latent"] > span')))
    page.get_by_role("menuitem", name="Remove the link").tap()
    expect(page.locator(".react-flow__edge")).to_have_count(0)
    phone.hold(*phone.middle(page.locator('.node[data-node="empty"] .node-head h2')))
    page.get_by_role("menuitem", name="Bypass").tap()
    expect(page.locator('.node[data-node="empty"]')).to_contain_text("bypassed")
    phone.hold(330, 640)
    expect(page.get_by_role("menuitem", name="Add a node…")).to_be_visible()
    phone.fits()


def test_a_link_has_a_menu_for_fingers_and_an_output_its_value(phone: Phone) -> None:
    page = phone.page
    phone.open_template("text-to-image")
    phone.view("Graph")
    phone.editor.settled()
    expect(page.locator(".react-flow__edge")).to_have_count(9)
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").tap()
    phone.editor.settled()
    x, y = phone.page.evaluate(ON_A_LINK)  # where nothing covers it
    phone.hold(float(x), float(y))
    page.get_by_role("menuitem", name="Remove the link").tap()
    expect(page.locator(".react-flow__edge")).to_have_count(8)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_phone_shows_no_violation(phone: Phone, theme: str) -> None:
    page = phone.page
    page.evaluate("theme => { localStorage.setItem('nodegraph.theme', theme); }", theme)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.locator("[data-template]").first.wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    auditor = Auditor(phone.editor, theme)
    auditor.look("start")
    phone.open_template("text-to-image")
    auditor.look("list")
    phone.view("Problems")
    auditor.look("panel")
    page.get_by_role("button", name="Menu", exact=True).tap()
    auditor.look("menu")
    page.keyboard.press("Escape")
    phone.view("Form")
    auditor.look("form")
    auditor.judge()
