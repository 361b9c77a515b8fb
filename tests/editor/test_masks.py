"""Masks are painted over the picture that a node loads, saved with it, and painted on."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import PIL.Image
from playwright.sync_api import Locator, expect

from tests.editor.editor import Editor
from tests.editor.test_accessibility import AUDIT, AXE, RULES
from tests.server.conftest import Server


def pixels_of(server: Server, file: str) -> np.ndarray:
    data = server.ask("GET", f"/api/v1/pictures/{file}").body
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGBA"))


def open_painter(editor: Editor) -> Locator:
    editor.node("picture").get_by_role("button", name="Paint a mask…").click()
    stage = editor.page.locator(".mask-stage")
    expect(stage).to_be_visible()
    return stage


def paint(editor: Editor, stage: Locator, *points: tuple[float, float]) -> None:
    """Paint a line through places of the picture, each from 0 to 1."""
    box = stage.locator("canvas").first.bounding_box()
    assert box is not None
    mouse = editor.page.mouse
    for index, (x, y) in enumerate(points):
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if index == 0:
            mouse.down()
    mouse.up()


def save(editor: Editor) -> str:
    editor.page.get_by_role("button", name="Save the mask").click()
    expect(editor.page.locator(".mask-dialog")).to_be_hidden()
    return str(editor.document()["nodes"]["picture"]["inputs"]["file"])


def test_a_painted_mask_is_saved_and_the_workflow_runs_with_it(editor: Editor, editor_server: Server) -> None:
    editor.open_template("inpaint")
    before = pixels_of(editor_server, "example.png")
    stage = open_painter(editor)
    paint(editor, stage, (0.3, 0.5), (0.7, 0.5))
    file = save(editor)
    assert file.startswith("uploads/")
    after = pixels_of(editor_server, file)
    height, width = after.shape[:2]
    assert after.shape == before.shape
    assert (after[..., :3] == before[..., :3]).all()  # the colours under the mask are kept
    assert (after[height // 2, int(width * 0.31) : int(width * 0.69), 3] == 0).all()
    assert (after[: height // 8, :, 3] == 255).all()
    editor.run()
    editor.wait_for_picture("save")
    # Going on: the eraser takes a part away, the rest is as it was.
    stage = open_painter(editor)
    editor.press("e")
    paint(editor, stage, (0.7, 0.5))
    again = pixels_of(editor_server, save(editor))
    assert again[height // 2, int(width * 0.7), 3] == 255
    assert again[height // 2, int(width * 0.4), 3] == 0
    editor.press("Control+z")
    assert editor.document()["nodes"]["picture"]["inputs"]["file"] == file


def test_undo_invert_clear_and_keys(editor: Editor, editor_server: Server) -> None:
    editor.open_template("inpaint")
    stage = open_painter(editor)
    page = editor.page
    size = page.get_by_role("slider", name="Size")
    before = int(size.input_value())
    stage.focus()
    editor.press("]")
    assert int(size.input_value()) > before
    editor.press(" ")  # a dab in the middle
    paint(editor, stage, (0.1, 0.1))
    editor.press("Control+z")
    page.get_by_role("button", name="Invert").click()
    file = save(editor)
    alpha = pixels_of(editor_server, file)[..., 3]
    height, width = alpha.shape
    assert alpha[height // 2, width // 2] == 255  # inverted: the dab alone is kept
    assert alpha[height // 10, width // 10] == 0
    open_painter(editor)
    page.get_by_role("button", name="Clear").click()
    assert (pixels_of(editor_server, save(editor))[..., 3] == 255).all()


def test_the_painter_has_no_violation(editor: Editor) -> None:
    editor.open_template("inpaint")
    editor.page.evaluate(AXE.read_text(encoding="utf-8"))
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        editor.page.emulate_media(color_scheme=scheme)
        expect(editor.page.locator("html")).to_have_attribute("data-theme", scheme)
        open_painter(editor)
        editor.settled()
        assert editor.page.evaluate(AUDIT, RULES) == []
        editor.press("Escape")
