"""The queue: cancelled, followed, and undisturbed by a reload."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.editor.editor import Editor
from tests.server.conftest import Server


@pytest.fixture(scope="module")
def editor_server(own_server: Server) -> Server:
    """Its queue is paused."""
    return own_server


def sleeping(seconds: float) -> bytes:
    nodes = {"nap": {"type": "naughty.sleep", "inputs": {"seconds": seconds}}}
    outputs = {"done": {"from": "nap"}}
    return json.dumps({"nodegraph": 1, "name": "nap", "nodes": nodes, "outputs": outputs}).encode()


def test_three_jobs_wait_and_the_second_is_cancelled(editor: Editor) -> None:
    editor.drop("nap.json", "application/json", sleeping(2))
    editor.page.wait_for_selector(".node")
    editor.page.get_by_role("button", name="Queue").click()
    for count in (1, 2, 3):
        editor.run()
        expect(editor.page.locator(".job")).to_have_count(count)
    jobs = editor.page.locator(".job")
    numbers = sorted(int(job.get_attribute("data-job") or 0) for job in jobs.all())
    second = editor.page.locator(f'.job[data-job="{numbers[1]}"]')
    second.get_by_role("button", name="Cancel").click()
    expect(second).to_have_attribute("data-state", "cancelled")
    for number in (numbers[0], numbers[2]):
        job = editor.page.locator(f'.job[data-job="{number}"]')
        expect(job).to_have_attribute("data-state", "done", timeout=30_000)
    second.get_by_role("button", name="Run again").click()
    expect(editor.page.locator(".job")).to_have_count(4)


def test_a_reload_during_a_run_disturbs_nothing(editor: Editor, editor_server: Server) -> None:
    known = {job["id"] for job in editor_server.ask("GET", "/api/v1/jobs").data["jobs"]}
    editor.open_template("text-to-image")
    editor.field("sample", "steps").fill("80")
    editor.press("Enter")
    editor.run()
    expect(editor.node("sample").locator(".node-progress")).to_be_visible(timeout=60_000)
    editor.page.get_by_role("button", name="Queue").click()
    expect(editor.page.locator('.job[data-state="running"]')).to_have_count(1)
    editor.page.reload()
    expect(editor.node("sample")).to_have_attribute("data-state", "running")
    # What went before is through, whatever was planned for it; afterwards it is planned anew.
    expect(editor.node("positive").locator(".plan")).to_have_text("done")
    editor.wait_for_picture("save")
    expect(editor.node("positive").locator(".plan")).to_have_text("not needed")
    expect(editor.node("sample")).to_have_attribute("data-state", "ran")
    jobs = [job for job in editor_server.ask("GET", "/api/v1/jobs").data["jobs"] if job["id"] not in known]
    assert [job["state"] for job in jobs] == ["done"]
    assert jobs[0]["attempts"] == 1


def test_a_failed_run_says_which_node_and_why(editor: Editor) -> None:
    nodes = {"bad": {"type": "naughty.raise"}}
    document = {"nodegraph": 1, "name": "bad", "nodes": nodes, "outputs": {"o": {"from": "bad"}}}
    editor.drop("bad.json", "application/json", json.dumps(document).encode())
    editor.page.wait_for_selector(".node")
    editor.run()
    expect(editor.node("bad")).to_have_attribute("data-state", "failed", timeout=30_000)
    expect(editor.node("bad").locator(".node-problems")).not_to_be_empty()


def test_a_problem_is_told_as_one_types_and_the_list_leads_to_it(editor: Editor) -> None:
    editor.open_template("text-to-image")
    editor.node("loader").get_by_role("combobox", name="file").wait_for()
    editor.click_canvas()
    editor.node("decode").locator(".node-head").click()
    editor.press("Delete")
    expect(editor.node("save")).to_have_class("node has-problems")
    editor.page.get_by_role("button", name="Problems").click()
    entry = editor.page.locator(".problem-list button").first
    expect(entry).to_contain_text("save")
    entry.click()
    expect(editor.page.locator(".node.is-selected")).to_have_count(1)
    editor.run()
    expect(editor.page.get_by_text("This workflow cannot run yet")).to_be_visible()


def waiting(editor: Editor) -> list[int]:
    """The numbers of the jobs that wait, in their order in the list."""
    return [
        int(job.get_attribute("data-job") or 0)
        for job in editor.page.locator('.job[data-state="queued"]').all()
    ]


def test_a_paused_queue_is_reordered_by_menu_and_by_dragging(editor: Editor, editor_server: Server) -> None:
    editor.drop("nap.json", "application/json", sleeping(0))
    editor.page.wait_for_selector(".node")
    page = editor.page
    page.get_by_role("button", name="Queue").click()
    page.get_by_role("button", name="Pause the queue").click()
    expect(page.get_by_text("The queue is paused")).to_be_visible()
    rows = page.locator('.job[data-state="queued"]')
    for count in (1, 2, 3):
        editor.run()
        expect(rows).to_have_count(count)
    first, second, third = waiting(editor)
    expect(rows.nth(2)).to_contain_text("after 2 jobs")
    rows.nth(2).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Move up").click()
    expect(rows.nth(1)).to_have_attribute("data-job", str(third))
    rows.nth(1).get_by_role("button", name="More").focus()
    editor.press("Enter")  # by keyboard alone
    editor.press("Enter")
    expect(rows.nth(0)).to_have_attribute("data-job", str(third))
    rows.nth(0).drag_to(rows.nth(2))
    expect(rows.nth(2)).to_have_attribute("data-job", str(third))
    assert waiting(editor) == [first, second, third]
    rows.nth(2).get_by_role("button", name="More").click()
    page.get_by_role("menuitemradio", name="High priority").click()
    expect(rows.nth(0)).to_have_attribute("data-job", str(third))
    expect(rows.nth(0)).to_contain_text("high priority")
    page.get_by_role("button", name="Cancel all that wait").click()
    expect(rows).to_have_count(0)
    page.get_by_role("button", name="Resume the queue").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    assert editor_server.ask("GET", "/api/v1/queue").data["paused"] is False


def test_a_failed_job_leads_to_its_node(editor: Editor) -> None:
    nodes = {"bad": {"type": "naughty.raise"}}
    document = {"nodegraph": 1, "name": "leads", "nodes": nodes, "outputs": {"o": {"from": "bad"}}}
    editor.drop("bad.json", "application/json", json.dumps(document).encode())
    editor.page.wait_for_selector(".node")
    editor.run()
    expect(editor.node("bad")).to_have_attribute("data-state", "failed", timeout=30_000)
    editor.page.get_by_role("button", name="nodegraph").click()  # the start page
    editor.page.get_by_role("button", name="Queue").click()
    editor.page.get_by_role("button", name="Only failed jobs").click()
    editor.page.get_by_role("button", name="Go to bad").first.click()
    expect(editor.node("bad")).to_have_class("node is-selected is-failed")
    expect(editor.page.locator(".tab-name")).to_have_count(1)


def test_several_runs_have_seeds_of_their_own(editor: Editor, editor_server: Server) -> None:
    known = {job["id"] for job in editor_server.ask("GET", "/api/v1/jobs").data["jobs"]}
    editor.open_template("text-to-image")
    editor.field("sample", "steps").fill("1")
    editor.press("Enter")
    editor.page.get_by_role("button", name="More ways to run").click()
    editor.page.get_by_label("How often").fill("3")
    editor.page.get_by_role("button", name="Next").click()
    editor.page.get_by_role("button", name="Run ×3").click()
    expect(editor.picture_of("save").first).to_be_visible(timeout=60_000)
    jobs = editor_server.ask("GET", "/api/v1/jobs").data["jobs"]
    made = [editor_server.job(job["id"], wait=60) for job in jobs if job["id"] not in known]
    assert sorted(job["inputs"]["seed"] for job in made) == [7, 8, 9]
    assert editor.document()["nodes"]["sample"]["inputs"]["seed"] == 7


def test_run_on_change_runs_after_an_edit_and_only_then(editor: Editor, editor_server: Server) -> None:
    def count() -> int:
        return len(editor_server.ask("GET", "/api/v1/jobs?limit=1000").data["jobs"])

    before = count()
    editor.open_template("text-to-image")
    editor.page.get_by_role("button", name="More ways to run").click()
    editor.page.get_by_role("switch", name="Run on change").check()
    editor.press("Escape")
    editor.field("sample", "steps").fill("2")
    editor.press("Enter")
    editor.wait_for_picture("save")
    assert count() == before + 1
    editor.drag(editor.node("save").locator(".node-head"), 1000, 700)  # a place is no change
    editor.page.mouse.up()
    editor.field("sample", "steps").fill("3")
    editor.press("Enter")
    expect(editor.node("sample")).to_have_attribute("data-state", "ran")
    while count() < before + 2:
        editor.page.wait_for_timeout(50)
    assert count() == before + 2
