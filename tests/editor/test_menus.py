"""What can be done at a place, told there: menus, shortcuts, help; and the theme."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.editor.editor import Editor


def test_the_menu_of_a_node_acts_on_it_and_names_the_shortcuts(editor: Editor) -> None:
    editor.open_template("text-to-image")
    page = editor.page
    head = editor.node("decode").locator(".node-head h2")
    head.click(button="right")
    expect(editor.node("decode")).to_have_class("node is-selected")
    expect(page.get_by_role("menuitem", name="Duplicate")).to_contain_text("Ctrl D")
    page.get_by_role("menuitem", name="Rename").click()
    title = editor.node("decode").get_by_label("Title")
    expect(title).to_be_focused()
    title.fill("To pixels")
    editor.press("Enter")
    expect(head).to_have_text("To pixels")
    expect(page.locator('.react-flow__node[data-id="decode"]')).to_be_focused()
    # Of several selected nodes it is the menu of all.
    editor.press("Control+a")
    expect(page.locator(".node.is-selected")).to_have_count(7)
    head.click(button="right")
    page.get_by_role("menuitem", name="Mute").click()
    expect(page.locator(".node.is-mute")).to_have_count(7)
    editor.press("Control+z")
    expect(page.locator(".node.is-mute")).to_have_count(0)


def test_a_node_runs_and_is_explained_from_its_menu(editor: Editor) -> None:
    editor.open_template("text-to-image")
    page = editor.page
    editor.node("latent").locator(".node-head h2").click(button="right")
    page.get_by_role("menuitem", name="Run up to here").click()
    expect(editor.node("latent")).to_have_attribute("data-state", "ran", timeout=60_000)
    expect(editor.node("sample")).to_have_attribute("data-state", "")
    editor.node("sample").locator(".node-head h2").click(button="right")
    page.get_by_role("menuitem", name="About this node").click()
    about = page.get_by_role("dialog")
    expect(about.get_by_role("heading", name="Sample")).to_be_visible()
    expect(about).to_contain_text("1 starts from noise, less keeps more of the latent")


def test_the_menus_of_the_canvas_an_output_and_the_menu_key(editor: Editor) -> None:
    editor.open_template("text-to-image")
    page = editor.page
    page.locator(".react-flow__pane").click(button="right", position={"x": 300, "y": 700})
    page.get_by_role("menuitem", name="Add a node…").click()
    editor.choose("empty latent")
    expect(page.locator(".node")).to_have_count(8)
    expect(page.locator('.react-flow__node[data-id="empty"]')).to_be_focused()
    editor.press("ContextMenu")
    expect(page.get_by_role("menu", name="What can be done with Empty latent")).to_be_visible()
    editor.press("Escape")
    expect(page.locator('.react-flow__node[data-id="empty"]')).to_be_focused()
    editor.node("loader").locator('[data-row="out:vae"]').click(button="right")
    page.get_by_role("menuitem", name="Link…").click()
    expect(page.get_by_placeholder("Link vae to…")).to_be_visible()


def test_all_shortcuts_stand_in_one_place_and_are_searched(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.press("?")
    dialog = editor.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.locator("dt")).not_to_have_count(0)
    assert dialog.locator("dt").count() > 35
    editor.page.keyboard.type("bypas")
    expect(dialog.locator("dt")).to_have_text(["Bypass"])
    expect(dialog.locator("kbd")).to_have_text(["Ctrl B"])
    editor.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_theme_follows_the_system_until_one_is_chosen(editor: Editor) -> None:
    page, html = editor.page, editor.page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(html).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Theme", exact=True).click()
    expect(page.get_by_role("menuitemradio", name="As the system")).to_be_checked()
    page.get_by_role("menuitemradio", name="Dark theme").click()
    expect(html).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")
