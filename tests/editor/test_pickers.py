"""Files are chosen by what they are: pictures by sight, models with their size."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.server.conftest import Server


def test_pictures_are_chosen_by_sight(editor: Editor, editor_server: Server) -> None:
    plain = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(plain, "PNG")
    headers = {"Content-Type": "image/png"}
    kept = editor_server.ask("POST", "/api/v1/files?name=sea.png", raw=plain.getvalue(), headers=headers).data
    (inputs,) = editor_server.data_dir.glob("users/test-pickers/inputs")
    (inputs / "torn.png").write_text("no picture")
    page = editor.page
    editor.open_template("image-to-image")
    loaded = editor.node("picture").locator(".loaded-picture img")
    expect(loaded).to_have_attribute("src", "/api/v1/pictures/example.png")
    editor.field("picture", "file").click()
    sea = page.get_by_role("option", name="sea.png")
    page.wait_for_function("image => image.naturalWidth === 64", arg=sea.locator("img").element_handle())
    torn = page.get_by_role("option", name="torn.png")
    torn.scroll_into_view_if_needed()
    expect(torn.locator("img")).to_have_count(0)  # its name stands there, and no empty box
    page.get_by_placeholder("Search pictures…").fill("sea")
    expect(page.get_by_role("option")).to_have_count(1)
    sea.click()
    assert editor.document()["nodes"]["picture"]["inputs"]["file"] == kept["use_as"]
    expect(editor.field("picture", "file")).to_have_text("sea.png")
    expect(loaded).to_have_attribute("src", f"/api/v1/pictures/{kept['use_as']}")


def test_a_result_is_chosen_as_input(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.field("sample", "steps").fill("2")
    editor.press("Enter")
    editor.run()
    editor.wait_for_picture("save")
    editor.press("Control+a")
    editor.page.get_by_role("button", name="New workflow").click()
    editor.add("load image", 300, 200)
    editor.field("load", "file").click()
    results = editor.page.get_by_role("group", name="Results")
    results.get_by_role("option").first.click()
    expect(editor.node("load").locator(".loaded-picture img")).to_be_visible()
    assert editor.document()["nodes"]["load"]["inputs"]["file"].startswith("uploads/")


def test_models_tell_their_family_and_size(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.field("loader", "file").click()
    option = editor.page.get_by_role("option", name="tiny.safetensors")
    expect(option).to_contain_text("sd1 · ")
    expect(option).to_contain_text("MB")
