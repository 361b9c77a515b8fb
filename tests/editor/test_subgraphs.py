"""Subgraphs in the editor: made of a selection, entered, changed, published, taken apart; nodes passed by."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Request, expect

from tests.editor.editor import Editor

TITLE = "Title of the subgraph"


def group(editor: Editor, *nodes: str, made: str = "subgraph") -> None:
    """Select nodes by their titles and make a subgraph of them."""
    for index, node in enumerate(nodes):
        head = editor.node(node).locator(".node-head")
        head.click(modifiers=["Shift"] if index else [], position={"x": 200, "y": 18})
    expect(editor.page.locator(".node.is-selected")).to_have_count(len(nodes))
    editor.press("Control+g")
    expect(editor.node(made)).to_be_visible()


def test_a_selection_becomes_a_subgraph_and_makes_the_same_picture(editor: Editor) -> None:
    editor.open_template("text-to-image")
    before = editor.document()
    editor.run()
    editor.wait_for_picture("save")
    group(editor, "positive", "negative", "sample")
    assert set(editor.document()["nodes"]) == {"loader", "latent", "decode", "save", "subgraph"}
    # It means what its nodes meant: nothing is computed again, only saved with the graph as it is now.
    expect(editor.node("decode").locator(".plan-memory, .plan-disk")).to_have_count(1)
    expect(editor.page.locator(".plan-run")).to_have_count(1)
    expect(editor.node("save").locator(".plan-run")).to_have_count(1)
    editor.field("subgraph", "prompt").fill("a yellow star on a blue background")
    expect(editor.node("subgraph").locator(".plan-run")).to_have_count(1)
    editor.run()
    expect(editor.node("subgraph")).to_have_attribute("data-state", "ran", timeout=60_000)
    editor.press("Control+z")
    editor.press("Control+z")
    after = editor.document()
    assert after["nodes"] == before["nodes"]
    assert after["inputs"] == before["inputs"]
    assert not after.get("subgraphs")


def test_a_subgraph_is_entered_changed_and_left(editor: Editor) -> None:
    editor.open_template("text-to-image")
    group(editor, "positive", "negative", "sample")
    editor.node("subgraph").get_by_role("button", name="Enter the subgraph").click()
    expect(editor.node("sample")).to_be_visible()
    expect(editor.page.locator(".node.boundary")).to_have_count(2)
    editor.settled()
    # It is not offered inside itself.
    editor.press("Space")
    editor.page.get_by_placeholder("Search nodes…").fill("subgraph")
    expect(editor.page.locator(".add-menu").get_by_role("option", name="#subgraph")).to_have_count(0)
    editor.press("Escape")
    # A link from the last socket of the border makes another input.
    editor.press("f")
    editor.settled()
    editor.link(editor.socket("@in", "out:+"), editor.socket("sample", "in:denoise"))
    expect(editor.page.get_by_label("Name of “denoise”")).to_be_visible()
    name = editor.page.get_by_label("Name of “prompt”")
    name.fill("what")
    editor.press("Enter")
    editor.page.get_by_label(TITLE).fill("Draw")
    editor.press("Enter")
    document = editor.document()
    definition = document["subgraphs"]["subgraph"]
    assert definition["title"] == "Draw"
    assert definition["inputs"]["denoise"]["default"] == 1.0
    assert definition["nodes"]["sample"]["inputs"]["denoise"] == {"input": "denoise"}
    assert "what" in document["nodes"]["subgraph"]["inputs"]
    editor.page.get_by_role("button", name="Leave the subgraph").click()
    expect(editor.field("subgraph", "denoise")).to_be_visible()
    editor.field("subgraph", "what").fill("a green triangle on a white background")
    editor.run()
    editor.wait_for_picture("save")
    editor.press("Escape")
    editor.press("Control+ArrowDown")
    expect(editor.node("sample")).to_have_attribute("data-state", "ran", timeout=60_000)


def test_a_subgraph_is_taken_apart_again(editor: Editor) -> None:
    editor.open_template("text-to-image")
    before = editor.document()
    group(editor, "positive", "sample")
    editor.press("Control+Shift+g")
    expect(editor.page.locator(".node")).to_have_count(7)
    after = editor.document()
    assert set(after["nodes"]) == set(before["nodes"])
    assert after["inputs"] == before["inputs"]
    expect(editor.page.locator(".react-flow__edge")).to_have_count(9)


def test_the_library_gives_a_subgraph_to_another_workflow(editor: Editor) -> None:
    editor.open_template("text-to-image")
    group(editor, "loader", "positive", "negative", "latent", "sample", "decode")
    editor.press("Control+ArrowDown")
    editor.page.get_by_label(TITLE).fill("Whole picture")
    editor.press("Enter")
    editor.page.get_by_role("button", name="Publish to the library").click()
    expect(editor.page.get_by_text("“Whole picture” is in the library, revision 1")).to_be_visible()
    editor.page.get_by_role("button", name="nodegraph", exact=True).click()
    editor.open_empty()
    editor.add("whole pict", 300, 300)
    editor.drag(editor.socket("whole_picture", "out:image"), 900, 300)
    editor.page.mouse.up()
    editor.choose("save image")
    editor.run()
    editor.wait_for_picture("save")
    editor.press("Control+k")
    editor.page.keyboard.type("whole picture")
    expect(editor.page.get_by_role("option", name="Whole picture subgraph:Whole picture")).to_be_visible()


def test_a_problem_inside_leads_to_its_place(editor: Editor) -> None:
    editor.open_template("text-to-image")
    group(editor, "positive", "sample")
    editor.press("Control+ArrowDown")
    expect(editor.node("sample")).to_be_visible()
    editor.node("positive").locator(".node-head").click(position={"x": 200, "y": 18})
    editor.press("Delete")
    editor.page.get_by_role("button", name="Leave the subgraph").click()
    expect(editor.page.locator(".node.has-problems")).to_have_count(1)
    editor.press("p")
    editor.page.locator(".problem-list button").first.click()
    expect(editor.node("sample")).to_have_class("node is-selected has-problems")


def test_nodes_are_bypassed_and_muted(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.drag(editor.socket("decode", "out:image"), 700, 800)
    editor.page.mouse.up()
    editor.choose("invert image")
    editor.drag(editor.socket("invert", "out:image"), 1000, 800)
    editor.page.mouse.up()
    editor.choose("save image")
    runs = {node: editor.node(node).locator(".plan-run") for node in ("invert", "save_2")}
    for plan in runs.values():
        expect(plan).to_have_count(1)
    editor.node("invert").locator(".node-head").click(position={"x": 200, "y": 18})
    editor.press("Control+b")
    expect(editor.node("invert").get_by_text("bypassed")).to_be_visible()
    expect(runs["invert"]).to_have_count(0)  # the picture passes it by
    expect(runs["save_2"]).to_have_count(1)
    editor.press("Control+m")
    expect(editor.node("invert").get_by_text("muted")).to_be_visible()
    expect(runs["save_2"]).to_have_count(0)  # what needs it does not run either
    editor.press("Control+m")
    for plan in runs.values():
        expect(plan).to_have_count(1)
    assert "mode" not in editor.document()["nodes"]["invert"]


def test_nodes_inside_are_run_up_to_and_looked_at(editor: Editor) -> None:
    targets = watch_targets(editor)
    editor.open_template("text-to-image")
    editor.field("positive", "text").fill("what only a subgraph was asked for")
    group(editor, "positive", "negative", "sample")
    editor.press("Control+ArrowDown")
    expect(editor.node("sample")).to_be_visible()
    editor.settled()
    editor.node("positive").locator(".node-head").click(position={"x": 200, "y": 18})
    editor.press("Control+Shift+Enter")  # with the focus on the node
    expect(editor.node("positive")).to_have_attribute("data-state", "ran", timeout=60_000)
    expect(editor.node("sample")).to_have_attribute("data-state", "")
    # One subgraph further in, at a value that was never made.
    group(editor, "negative", "sample", made="subgraph_2")
    editor.press("Control+ArrowDown")
    expect(editor.node("sample")).to_be_visible()
    editor.settled()
    editor.node("sample").get_by_role("button", name="latent", exact=True).click()
    popover = editor.page.locator(".look")
    popover.get_by_role("button", name="Run up to here").click()
    expect(popover.locator(".look-first")).to_contain_text("1 latent", timeout=60_000)
    assert targets == [["subgraph/positive"], ["subgraph/subgraph_2/sample"]]
    expect(editor.node("sample")).to_have_attribute("data-state", "ran")


def watch_targets(editor: Editor) -> list[Any]:
    """What each run that is asked for from now on is to run up to; looks at values are none."""
    asked: list[Any] = []

    def heard(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/jobs"):
            body = request.post_data_json or {}
            if not body.get("hidden"):
                asked.append(body.get("targets"))

    editor.page.on("request", heard)
    return asked


def test_a_newer_revision_leaves_other_subgraphs(editor: Editor) -> None:
    editor.open_template("text-to-image")
    group(editor, "loader", "positive", "negative", "latent", "sample", "decode")
    editor.press("Control+ArrowDown")
    editor.page.get_by_label(TITLE).fill("Newer picture")
    editor.press("Enter")
    publish = editor.page.get_by_role("button", name="Publish to the library")
    publish.click()
    expect(editor.page.get_by_text("is in the library, revision 1")).to_be_visible()
    first_tab = editor.page.locator(".tab-name").first
    editor.page.get_by_role("button", name="nodegraph", exact=True).click()
    editor.open_empty()
    editor.add("newer pict", 300, 300)
    editor.add("invert image", 800, 300)
    group(editor, "invert")
    first_tab.click()
    expect(editor.node("sample")).to_be_visible()
    editor.field("sample", "denoise").fill("0.5")
    publish.click()
    expect(editor.page.get_by_text("is in the library, revision 2")).to_be_visible()
    editor.page.locator(".tab-name").nth(1).click()
    editor.node("newer_picture").get_by_role("button", name="Enter the subgraph").click()
    editor.page.get_by_role("button", name="Take revision 2 from the library").click()
    definitions = editor.document()["subgraphs"]
    assert definitions.keys() == {"newer_picture", "subgraph"}
    assert definitions["newer_picture"]["library"]["revision"] == 2
    assert definitions["newer_picture"]["nodes"]["sample"]["inputs"]["denoise"] == 0.5
    assert definitions["subgraph"]["nodes"].keys() == {"invert"}
