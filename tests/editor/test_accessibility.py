"""An automatic audit (axe) of all that can be seen, in both themes: not one violation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.editor.editor import Editor

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AUDIT = """(rules) => axe.run(document, { runOnly: { type: "tag", values: rules } }).then(({ violations }) =>
  violations.map(({ id, nodes }) => `${id}: ` + nodes.slice(0, 3).map(({ html }) => html).join(" … ")))"""


class Auditor:
    """Looks at a page whenever it is asked to, and remembers what was wrong."""

    def __init__(self, editor: Editor, theme: str) -> None:
        self.editor, self.theme = editor, theme
        self.found: dict[str, list[str]] = {}

    def look(self, name: str) -> None:
        self.editor.settled()
        found = self.editor.page.evaluate(AUDIT, RULES)
        if found:
            self.found[name] = found

    def judge(self) -> None:
        lines = [f"{name}: {one}" for name, found in self.found.items() for one in found]
        assert not lines, "\n".join(lines)


@pytest.fixture(params=["dark", "light"])
def auditor(request: pytest.FixtureRequest, open_editor: Callable[[], Editor]) -> Auditor:
    editor = open_editor()
    if request.param == "light":
        editor.page.get_by_role("button", name="Theme", exact=True).click()
        editor.page.get_by_role("menuitemradio", name="Light theme").click()
    expect(editor.page.locator("html")).to_have_attribute("data-theme", request.param)
    editor.page.evaluate(AXE.read_text(encoding="utf-8"))
    return Auditor(editor, request.param)


def test_no_part_of_the_editor_has_a_violation(auditor: Auditor) -> None:
    editor, page = auditor.editor, auditor.editor.page
    auditor.look("start")
    editor.open_template("text-to-image")
    editor.click_canvas()
    editor.press("1")  # as large as it is: what is zoomed out can be zoomed in
    auditor.look("graph")
    editor.press("q")
    auditor.look("empty queue")
    editor.field("positive", "text").fill(f"a green square, {auditor.theme}")  # that nobody made before
    editor.run()
    expect(page.locator(".job.is-running")).to_be_visible(timeout=60_000)
    auditor.look("running")
    editor.wait_for_picture("save")
    auditor.look("queue")
    editor.press("p")
    auditor.look("plan")
    editor.press("g")
    auditor.look("results")
    page.locator(".results .result").first.click()
    auditor.look("picture")
    editor.press("Escape")
    editor.press("Control+k")
    auditor.look("palette")
    editor.press("Escape")
    editor.press("?")
    auditor.look("shortcuts")
    editor.press("Escape")
    editor.press("Control+s")
    auditor.look("save")
    page.get_by_label("Name").fill("kept")
    editor.press("Enter")
    editor.press("Control+o")
    auditor.look("open")
    editor.press("Escape")
    auditor.judge()


def test_no_menu_of_a_node_has_a_violation(auditor: Auditor) -> None:
    editor, page = auditor.editor, auditor.editor.page
    editor.open_template("text-to-image")
    editor.node("sample").locator(".node-head").click(position={"x": 200, "y": 18})
    editor.press("1")
    editor.press("Space")
    auditor.look("search for a node")
    editor.press("Escape")
    editor.node("sample").locator(".node-head h2").click(button="right")
    auditor.look("menu of a node")
    page.get_by_role("menuitem", name="About this node").click()
    auditor.look("about a node")
    editor.press("Escape")
    editor.press("k")
    auditor.look("sockets to link")
    editor.press("Enter")
    auditor.look("what a socket is linked to")
    editor.press("Escape")
    editor.press("Delete")
    expect(page.locator(".node.has-problems")).to_have_count(1)
    editor.press("p")
    auditor.look("problems")
    editor.press("Control+a")
    editor.press("Control+g")
    editor.press("Control+ArrowDown")
    editor.press("1")
    auditor.look("subgraph")
    page.get_by_role("button", name="Leave the subgraph").click()
    page.get_by_role("button", name="Form").click()
    auditor.look("form")
    auditor.judge()


def test_no_value_sweep_or_comparison_has_a_violation(auditor: Auditor) -> None:
    editor, page = auditor.editor, auditor.editor.page
    editor.open_template("text-to-image")
    editor.run()
    editor.wait_for_picture("save")
    editor.click_canvas()
    editor.press("1")
    editor.settled()
    editor.node("latent").get_by_role("button", name="latent", exact=True).click()
    expect(page.locator(".look-first")).to_contain_text("1 latent", timeout=30_000)
    auditor.look("value")
    editor.press("Escape")
    editor.press("Control+k")
    page.get_by_placeholder("Type an action or a node…").fill("sweep")
    editor.press("Enter")
    page.get_by_label("Input of axis 1").select_option(label="steps")
    page.get_by_label("Values of axis 1").fill("2..3")
    page.get_by_role("button", name="Another axis").click()
    page.get_by_label("Values of axis 2").fill("many")
    auditor.look("sweep with a mistake")
    page.get_by_label("Input of axis 2").select_option(label="Sample · denoise")
    page.get_by_label("Values of axis 2").fill("0.8, 1")
    auditor.look("sweep")
    page.get_by_role("button", name="Run the sweep").click()
    expect(page.locator('.sheet-cell[data-state="done"] img')).to_have_count(4, timeout=90_000)
    auditor.look("contact sheet")
    editor.press("Escape")
    editor.click_canvas()
    editor.press("g")
    items = page.locator(".results li")
    items.nth(0).get_by_role("button", name="More").click()
    auditor.look("menu of a result")
    editor.press("Escape")
    items.nth(1).get_by_role("button", name="Choose to compare").click()
    items.nth(0).get_by_role("button", name="Compare with", exact=False).click()
    expect(page.locator(".picture-dialog img")).to_have_count(2)
    auditor.look("comparison")
    auditor.judge()


def test_no_menu_of_an_input_or_a_link_and_no_annotation_has_a_violation(auditor: Auditor) -> None:
    editor, page = auditor.editor, auditor.editor.page
    editor.open_template("text-to-image")
    editor.click_canvas()
    editor.press("1")
    editor.settled()
    editor.node("latent").get_by_text("width", exact=True).click(button="right")
    expect(page.get_by_role("menu")).to_be_visible()
    auditor.look("menu of an input")
    editor.press("Escape")
    page.locator(".react-flow__edge-interaction").first.click(button="right", force=True)
    expect(page.get_by_role("menu")).to_be_visible()
    auditor.look("menu of a link")
    editor.press("Escape")
    editor.node("latent").locator(".node-head").click(position={"x": 200, "y": 18})
    editor.press("Shift+g")
    auditor.look("group")
    head = page.locator('[data-annotation="groups.1"] .annotation-head')
    head.focus()
    editor.press("Enter")
    expect(page.locator('[data-annotation="groups.1"]').get_by_label("Text", exact=True)).to_be_visible()
    auditor.look("title of a group")
    page.get_by_role("button", name="nodegraph", exact=True).click()
    editor.open_empty()
    editor.press("n")
    page.locator('[data-annotation="notes.1"]').get_by_label("Text", exact=True).fill("7 is the good one")
    auditor.look("note")
    auditor.judge()
