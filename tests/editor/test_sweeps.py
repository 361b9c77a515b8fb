"""Sweeps: written as axes, run as a group, seen as a contact sheet."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.server.conftest import Server


def open_sweep(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("Control+k")
    editor.page.get_by_placeholder("Type an action or a node…").fill("sweep")
    editor.press("Enter")
    expect(editor.page.get_by_role("dialog", name="Sweep")).to_be_visible()


def test_a_grid_of_two_axes_becomes_a_contact_sheet(editor: Editor, editor_server: Server) -> None:
    open_sweep(editor)
    page = editor.page
    page.get_by_label("Input of axis 1").select_option(label="steps")
    page.get_by_label("Values of axis 1").fill("2..3")
    page.get_by_role("button", name="Another axis").click()
    page.get_by_label("Input of axis 2").select_option(label="Sample · denoise")
    page.get_by_label("Values of axis 2").fill("0.6, many")
    expect(page.get_by_text("“many” is no number.")).to_be_visible()
    expect(page.get_by_role("button", name="Run the sweep")).to_be_disabled()
    page.get_by_label("Values of axis 2").fill("0.6, 0.8, 1")
    expect(page.locator(".sweep-count")).to_have_text("6 runs")
    page.get_by_role("button", name="In pairs").click()
    expect(page.locator(".sweep-count")).to_have_text("In pairs, every axis needs as many values.")
    page.get_by_role("button", name="Grid").click()
    page.get_by_role("button", name="Run the sweep").click()

    sheet = page.locator(".sheet-dialog")
    expect(sheet.get_by_role("columnheader")).to_have_text(["denoise 0.6", "denoise 0.8", "denoise 1"])
    expect(sheet.get_by_role("rowheader")).to_have_text(["steps 2", "steps 3"])
    expect(sheet.locator('.sheet-cell[data-state="done"] img')).to_have_count(6, timeout=90_000)
    expect(sheet.get_by_role("columnheader")).to_have_text(["denoise 0.6", "denoise 0.8", "denoise 1"])
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download as PNG").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as picture:
        assert picture.size == (10 + 150 + 3 * 138, 10 + 22 + 2 * 138)  # pictures of 128 and their gaps

    sheet.get_by_role("button", name="Open graph").last.click()
    expect(page.locator(".tab-name")).to_have_count(2)
    editor.settled()
    inputs = editor.document()["nodes"]["sample"]["inputs"]
    assert (inputs["steps"], inputs["denoise"]) == (3, 1)

    page.reload()  # the sheet is made of what the server tells
    page.get_by_role("button", name="Queue").click()
    expect(page.locator(".job.is-group")).to_contain_text("6 of 6 done")
    page.locator(".job.is-group .job-main").click()
    expect(sheet.locator('.sheet-cell[data-state="done"] img')).to_have_count(6)


def test_prompts_are_swept_in_pairs_with_seeds_and_cancelled(editor: Editor) -> None:
    open_sweep(editor)
    page = editor.page
    page.get_by_label("Input of axis 1").select_option(label="prompt")
    page.get_by_label("Values of axis 1").fill("a red circle, large\na green square")
    page.get_by_role("button", name="Another axis").click()
    page.get_by_label("Input of axis 2").select_option(label="steps")
    page.get_by_label("Values of axis 2").fill("900..901")
    page.get_by_role("button", name="In pairs").click()
    expect(page.locator(".sweep-count")).to_have_text("2 runs")
    page.get_by_role("button", name="Run the sweep").click()
    sheet = page.locator(".sheet-dialog")
    expect(sheet.locator(".sheet-label")).to_contain_text(["a red circle, large", "a green square"])
    sheet.get_by_role("button", name="Cancel the sweep").click()
    expect(sheet.locator('.sheet-cell[data-state="cancelled"]')).to_have_count(2, timeout=60_000)
