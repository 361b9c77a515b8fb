"""What the pictures of docs/editor.md show: each scene is made by hand, as somebody would."""

from __future__ import annotations

import itertools
import json

from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.editor.test_masks import open_painter, paint
from tests.editor.test_shelf import Library
from tests.editor.test_sweeps import open_sweep
from tests.editor.test_ways import along, way_points

TEMPLATE = "text-to-image"
LINK = "loader.model>sample.model"
STEPS = itertools.count(20)


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


def compare(editor: Editor) -> None:
    """The same seed after few steps and after many."""
    graph(editor)
    editor.press("g")
    pictures = editor.page.locator(".results img")
    editor.field("positive", "text").fill("a yellow star on a green background")
    for steps in ("4", "20"):
        editor.field("sample", "steps").fill(steps)
        editor.press("Enter")
        count = pictures.count()
        editor.run()
        expect(pictures).to_have_count(count + 1, timeout=60_000)
    editor.page.locator(".results .result").first.click()
    editor.page.get_by_role("button", name="Compare with the one before").click()
    expect(editor.page.locator(".picture-dialog img")).to_have_count(2)
    editor.page.wait_for_load_state("networkidle")


def fields(editor: Editor) -> None:
    """Every kind of field."""
    crop = {"kind": "crop", "width": 20}
    given = {
        "grow": {"values": [1.5, 2], "named": {"weight": 1}},
        "optional": {"strength": 0.5},
        "lists": {"numbers": [1, 2, 3.5], "words": ["red", "green"]},
        "variant": {"mode": {**crop, "names": [], "limit": 3}},
        "colour": {},
        "seed": {},
    }
    places = ((0, 0), (0, 340), (310, 0), (620, 0), (930, 0), (930, 320))
    document = {
        "nodegraph": 1, "name": "fields",
        "nodes": {kind: {"type": f"fields.{kind}", "inputs": inputs} for kind, inputs in given.items()},
        "outputs": {"out": {"from": "grow"}},
        "view": {"nodes": {kind: {"x": x, "y": y} for kind, (x, y) in zip(given, places, strict=True)}},
    }  # fmt: skip
    editor.drop("fields.json", "application/json", json.dumps(document).encode())
    expect(editor.node("seed").locator(".plan")).to_be_visible()
    editor.press("f")


def groups(editor: Editor) -> None:
    """Two groups and a note."""
    ran(editor)
    page = editor.page
    for number, (title, nodes) in enumerate(
        (
            ("What to draw", ("loader", "positive", "negative", "latent")),
            ("Out of the latent", ("decode", "save")),
        ),
        start=1,
    ):
        for node in nodes:
            editor.node(node).locator(".node-head h2").click(
                modifiers=None if node == nodes[0] else ["Shift"]
            )
        editor.press("Shift+g")
        frame = page.locator(f'[data-annotation="groups.{number}"]')
        frame.get_by_role("button", name="Group Group: drag", exact=False).dblclick()
        frame.get_by_label("Text", exact=True).fill(title)
        editor.press("Enter")
        editor.click_canvas()
    editor.press("n")
    note = page.locator('[data-annotation="notes.1"]')
    note.get_by_label("Text", exact=True).fill(
        "Seed 7 is the good one.\n\nA CFG of 4 is enough for this model."
    )
    place = page.locator('[data-annotation="groups.2"]').bounding_box() or {"x": 0, "y": 0, "height": 0}
    editor.drag(
        note.get_by_role("button", name="Note: drag", exact=False),
        place["x"] + 140, place["y"] + place["height"] + 40,
    )  # fmt: skip
    page.mouse.up()
    editor.press("f")
    editor.settled()
    editor.click_canvas()


def library(editor: Editor) -> None:
    """A node over a link, still held."""
    graph(editor)
    shelf = Library(editor)
    shelf.open()
    editor.settled()
    line = shelf.find("cfg zero", "model.cfg_zero_star")
    hint = editor.page.locator(".drop-hint.is-fitting")
    shelf.drag(line, *along(editor, LINK, 0.1))
    for part in (0.3, 0.5, 0.7, 0.9):  # some of the link lies under a node
        editor.page.wait_for_timeout(300)
        if hint.is_visible():
            break
        editor.page.mouse.move(*along(editor, LINK, part), steps=3)
    expect(hint).to_be_visible()


def mask(editor: Editor) -> None:
    """A circle, painted."""
    editor.open_template("inpaint")
    stage = open_painter(editor)
    ring = [(0.5 + 0.2 * x, 0.5 + 0.2 * y) for x, y in ((1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0))]
    paint(editor, stage, *ring, *((1 - x, 1 - y) for x, y in ring))
    rows = [0.34 + 0.04 * row for row in range(9)]
    paint(editor, stage, *((x, y) for y in rows for x in (0.36, 0.64)))


def sweep(editor: Editor) -> None:
    """Prompts in rows, steps in columns."""
    open_sweep(editor)
    page = editor.page
    page.get_by_label("Input of axis 1").select_option(label="prompt")
    page.get_by_label("Values of axis 1").fill(
        "a red circle on a blue background\na yellow star on a green background"
    )
    page.get_by_role("button", name="Another axis").click()
    page.get_by_label("Input of axis 2").select_option(label="steps")
    page.get_by_label("Values of axis 2").fill("2, 4, 8, 20")
    page.get_by_role("button", name="Run the sweep").click()
    done = page.locator('.sheet-dialog .sheet-cell[data-state="done"] img')
    expect(done).to_have_count(8, timeout=120_000)
    page.wait_for_load_state("networkidle")
