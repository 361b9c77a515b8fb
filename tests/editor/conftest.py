"""The built editor in a real Chromium, on a real server with the embedded model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from benchmarks.chromium import QUIET, smallest
from nodegraph.jobs.records import FINAL
from nodegraph.server.routes.pages import STATIC
from nodegraph.server.tokens import Tokens
from tests.editor.editor import Editor
from tests.server.conftest import Server

HERE = Path(__file__).parent
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On two busy cores a browser misses an event now and then. What fails three times is broken.

    Whoever slows the browser down looks for what is in a hurry: every failure counts then.
    """
    for item in items:
        if HERE in item.path.parents and config.getoption("--slow-browser") == 1:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, for these tests alone: its event loop would be in the way of others."""
    path = smallest()
    if path is None:
        pytest.skip("there is no Chromium on this system")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the editor is not built: `make editor` builds it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("editor") / "data")
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="package")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all modules that leave it well: what it loaded once it has loaded."""
    yield from _running(tmp_path_factory)


@pytest.fixture(scope="module")
def editor_server(request: pytest.FixtureRequest, shared_server: Server) -> Iterator[Server]:
    """The server as it is to somebody new, for the tests of a module: nothing is cached, nothing waits."""
    shared_server.ask("DELETE", "/api/v1/memory")
    name = request.path.stem.replace("_", "-")
    mine = replace(shared_server, token=Tokens(shared_server.data_dir).add(name))
    yield mine
    for job in mine.ask("GET", "/api/v1/jobs?limit=1000").data["jobs"]:
        if job["state"] not in FINAL:
            mine.ask("POST", f"/api/v1/jobs/{job['id']}/cancel")


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that a module has for itself, because it changes what all users share."""
    yield from _running(tmp_path_factory)


@pytest.fixture
def context(chromium: Browser, editor_server: Server) -> Iterator[BrowserContext]:
    """A browser of its own for each test, logged in, with nothing kept from before."""
    made = chromium.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="dark", reduced_motion="reduce"
    )
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def open_editor(
    context: BrowserContext, editor_server: Server, pytestconfig: pytest.Config
) -> Iterator[Callable[[], Editor]]:
    """Opens the editor in another browser tab. No page may report an error on its console."""
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def watch(page: Page) -> None:
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))

    def open_one() -> Editor:
        page = context.new_page()
        slower = pytestconfig.getoption("--slow-browser")
        if slower > 1:
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        watch(page)
        page.goto(f"http://127.0.0.1:{editor_server.port}/?token={editor_server.token}")
        page.wait_for_selector(".template, .canvas")
        return Editor(page)

    yield open_one
    assert not [error for error in errors if "status of 4" not in error], errors


@pytest.fixture
def editor(open_editor: Callable[[], Editor]) -> Editor:
    """The editor at its start page."""
    return open_editor()
