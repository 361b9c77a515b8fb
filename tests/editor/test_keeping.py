"""Workflows that are kept: autosave, revisions, conflicts; the form, the palette, the themes."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.editor.editor import Editor

STAR = "a yellow star on a blue background"


def test_open_workflows_survive_a_reload(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.field("positive", "text").fill(STAR)
    before = editor.document()
    editor.page.reload()
    expect(editor.field("positive", "text")).to_have_value(STAR)
    assert editor.document() == before


def test_a_workflow_is_saved_revised_and_restored(editor: Editor) -> None:
    editor.open_template("text-to-image")
    first = editor.field("positive", "text").input_value()
    editor.press("Control+s")
    editor.page.get_by_label("Name").fill("kept")
    editor.press("Enter")
    expect(editor.page.get_by_text("Saved “kept”, revision 1")).to_be_visible()
    editor.field("positive", "text").fill(STAR)
    expect(editor.page.locator(".tab-dirty")).to_be_visible()
    editor.press("Control+s")
    expect(editor.page.get_by_text("Saved “kept”, revision 2")).to_be_visible()
    expect(editor.page.locator(".tab-dirty")).to_be_hidden()
    editor.click_canvas()
    editor.press("Control+o")
    editor.page.get_by_role("button", name="Revisions").click()
    editor.page.get_by_role("button", name="revision 1", exact=False).last.click()
    expect(editor.field("positive", "text")).to_have_value(first)
    editor.press("Control+s")
    expect(editor.page.get_by_text("Saved “kept”, revision 3")).to_be_visible()


def test_somebody_elses_save_is_not_overwritten_unasked(open_editor: Callable[[], Editor]) -> None:
    first, second = open_editor(), open_editor()
    first.open_template("text-to-image")
    first.press("Control+s")
    first.page.get_by_label("Name").fill("shared")
    first.press("Enter")
    expect(first.page.get_by_text("Saved “shared”, revision 1")).to_be_visible()
    second.page.reload()
    second.page.get_by_role("button", name="shared").click()
    second.field("positive", "text").fill(STAR)
    second.press("Control+s")
    expect(second.page.get_by_text("Saved “shared”, revision 2")).to_be_visible()
    first.page.bring_to_front()
    first.field("negative", "text").fill("blurred")
    first.press("Control+s")
    first.page.get_by_role("button", name="Save", exact=True).click()
    expect(first.page.get_by_text("Somebody else saved this workflow meanwhile")).to_be_visible()
    first.page.get_by_role("button", name="Replace theirs").click()
    expect(first.page.get_by_text("Saved “shared”, revision 3")).to_be_visible()


def test_the_form_is_the_workflow_without_its_graph(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.page.get_by_role("button", name="Form").click()
    editor.page.get_by_label("prompt", exact=True).fill(STAR)
    editor.page.get_by_label("steps", exact=True).fill("4")
    editor.press("Enter")
    editor.run()
    expect(editor.page.locator(".form-result img:not(.is-preview)")).to_be_visible(timeout=60_000)
    editor.page.get_by_role("button", name="Graph", exact=True).click()
    expect(editor.field("positive", "text")).to_have_value(STAR)
    expect(editor.field("sample", "steps")).to_have_value("4")


def test_the_palette_does_what_shortcuts_do(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("Control+k")
    editor.page.keyboard.type("dark and light")
    editor.press("Enter")
    expect(editor.page.locator("html")).to_have_attribute("data-theme", "light")
    editor.press("Control+k")
    editor.page.keyboard.type("Encode text")
    editor.press("Enter")
    expect(editor.page.locator(".node")).to_have_count(8)
    editor.page.reload()
    expect(editor.page.locator("html")).to_have_attribute("data-theme", "light")
    editor.press("Control+Enter")
    expect(
        editor.page.get_by_text("This workflow cannot run yet")
    ).to_be_visible()  # the new node lacks its encoder


def test_an_input_is_named_from_its_menu(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.node("sample").get_by_text("denoise").click(button="right")
    editor.page.get_by_role("menuitem", name="Name as input “denoise”").click()
    assert editor.document()["inputs"]["denoise"] == {"to": ["sample.denoise"]}


def test_a_browser_without_the_token_is_told_how_to_come_in(
    open_editor: Callable[[], Editor],
) -> None:
    editor = open_editor()
    editor.page.context.clear_cookies()
    editor.page.reload()
    expect(editor.page.get_by_text("This server wants its token")).to_be_visible()


def test_how_one_likes_to_work_survives_a_reload(editor: Editor) -> None:
    page = editor.page
    editor.open_template("text-to-image")
    editor.run()
    editor.wait_for_picture("save")
    editor.click_canvas()
    editor.press("g")
    page.get_by_role("button", name="Larger pictures").click()
    gallery = page.locator(".results")
    expect(gallery).to_have_attribute("style", "--columns: 1;")
    page.get_by_role("button", name="More ways to run").click()
    page.get_by_role("switch", name="Run on change").check()
    editor.document()  # which waits until it is kept
    page.reload()
    page.get_by_role("button", name="Results").click()
    expect(gallery).to_have_attribute("style", "--columns: 1;")
    page.get_by_role("button", name="More ways to run").click()
    expect(page.get_by_role("switch", name="Run on change")).to_be_checked()
    editor.press("Escape")
    editor.field("sample", "steps").fill("2")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")):
        editor.press("Enter")


def test_what_cannot_be_asked_for_is_told(editor: Editor) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=403, json={"title": "Forbidden", "detail": "not for you", "status": 403})

    editor.open_template("text-to-image")
    editor.document()  # which waits until it is kept
    editor.page.route("**/api/v1/workflows", refuse)  # the library's subgraphs are among them
    editor.page.reload()
    expect(editor.page.locator(".notice").get_by_text("not for you")).to_be_visible()


def save_as(editor: Editor, name: str) -> None:
    editor.open_empty()
    editor.press("Control+s")
    editor.page.get_by_label("Name").fill(name)
    editor.press("Enter")
    expect(editor.page.get_by_text(f"Saved “{name}”, revision 1")).to_be_visible()


def test_a_renamed_workflow_is_saved_under_its_new_name(open_editor: Callable[[], Editor]) -> None:
    editor, elsewhere = open_editor(), open_editor()
    save_as(editor, "draft")
    elsewhere.page.reload()
    elsewhere.page.get_by_role("button", name="draft").click()
    editor.page.bring_to_front()
    page = editor.page
    editor.press("Control+o")
    page.get_by_role("button", name="Rename draft").click()
    field = page.get_by_label("New name of draft")
    field.fill("sub/draft")
    editor.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Names have no slash")
    field.fill("final")
    editor.press("Enter")
    expect(page.get_by_text("Renamed to “final”")).to_be_visible()
    expect(page.get_by_role("button", name="Rename final")).to_be_focused()
    editor.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    editor.add("Number", 500, 400)
    editor.click_canvas()
    editor.press("Control+s")
    expect(page.get_by_text("Saved “final”, revision 2")).to_be_visible()


def test_a_rename_elsewhere_is_followed(open_editor: Callable[[], Editor]) -> None:
    here, elsewhere = open_editor(), open_editor()
    here.page.bring_to_front()
    save_as(here, "one")
    elsewhere.page.bring_to_front()
    elsewhere.page.reload()
    expect(elsewhere.page.get_by_role("button", name="one revision 1")).to_be_visible()
    elsewhere.press("Control+o")
    elsewhere.page.get_by_role("button", name="Rename one").click()
    elsewhere.page.get_by_label("New name of one").fill("another")
    elsewhere.press("Enter")
    expect(elsewhere.page.get_by_text("Renamed to “another”")).to_be_visible()
    here.page.bring_to_front()
    here.add("Number", 500, 400)
    here.click_canvas()
    here.press("Control+s")
    expect(here.page.get_by_text("Saved “another”, revision 2")).to_be_visible()
    expect(here.page.get_by_role("dialog")).to_be_hidden()


def test_what_is_thrown_away_is_restored_or_deleted_when_one_has_read_what_is_lost(editor: Editor) -> None:
    page, trash = editor.page, editor.page.locator(".saved-shelves").get_by_role("button", name="Trash")
    save_as(editor, "thrown")
    editor.press("Control+o")
    page.get_by_label("Search by name").fill("THROWN")
    expect(page.locator(".open-row")).to_have_count(1)
    page.get_by_role("button", name="Move thrown to trash").click()
    expect(page.locator(".open-row")).to_have_count(0)
    trash.click()
    page.get_by_role("button", name="Restore thrown").click()
    expect(page.get_by_text("“thrown” is restored")).to_be_visible()
    page.locator(".saved-shelves").get_by_role("button", name="Saved").click()
    page.get_by_role("button", name="Move thrown to trash").click()
    trash.click()
    page.get_by_role("button", name="Delete thrown for good").click()
    expect(page.get_by_text("“thrown” and its 1 revision will be lost")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    editor.press("Escape")  # which ends the question alone
    page.get_by_role("button", name="Delete thrown for good").click()
    page.get_by_role("button", name="Delete for good", exact=True).click()
    expect(page.get_by_text("“thrown” is deleted")).to_be_visible()
    expect(page.locator(".open-row")).to_have_count(0)
    editor.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    editor.click_canvas()
    editor.press("Control+s")  # what is open is the only copy: it is saved as a new one
    expect(page.get_by_label("Name")).to_have_value("thrown")
