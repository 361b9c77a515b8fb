"""A workflow that names model files which are not there: told once each, and mended from the list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import nodegraph_nodes
from tests.editor.editor import Editor
from tests.editor.test_accessibility import AUDIT, AXE, RULES
from tests.server.conftest import Server


@pytest.fixture(scope="module")
def editor_server(own_server: Server) -> Server:
    """Model files are put into its folders."""
    return own_server


PACK = Path(nodegraph_nodes.__file__).parent


def open_with(editor: Editor, file: str) -> None:
    """Text to image with another checkpoint, which a second node names too."""
    document: Any = json.loads((PACK / "workflows" / "text-to-image.json").read_text())
    document["nodes"]["loader"]["inputs"]["file"] = file
    document["nodes"]["second"] = {"type": "load.checkpoint", "inputs": {"file": file}}
    editor.drop("workflow.json", "application/json", json.dumps(document).encode())
    expect(editor.node("loader")).to_be_visible()
    editor.page.get_by_role("button", name="Problems").click()


def test_a_near_file_takes_the_place_of_a_missing_one_in_all_nodes(editor: Editor) -> None:
    open_with(editor, "tinny-v2.safetensors")
    group = editor.page.get_by_role("region", name="Missing models")
    expect(group).to_contain_text("tinny-v2.safetensors")
    expect(group).to_contain_text("in checkpoints · 2 places")
    expect(editor.page.locator(".problem-list li")).to_have_count(0)
    editor.click_canvas()
    editor.press("1")
    editor.settled()
    editor.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert editor.page.evaluate(AUDIT, RULES) == []
    group.get_by_role("button", name="Use tiny.safetensors instead of tinny-v2.safetensors").click()
    expect(group).to_be_hidden()
    nodes = editor.document()["nodes"]
    assert [nodes[id_]["inputs"]["file"] for id_ in ("loader", "second")] == ["tiny.safetensors"] * 2
    editor.press("Control+z")
    expect(group).to_be_visible()


def test_a_file_that_was_put_into_its_folder_is_found_by_looking_again(
    editor: Editor, editor_server: Server
) -> None:
    open_with(editor, "own.safetensors")
    group = editor.page.get_by_role("region", name="Missing models")
    expect(group).to_contain_text("own.safetensors")
    folder = editor_server.data_dir / "models" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACK / "models" / "checkpoints" / "tiny.safetensors", folder / "own.safetensors")
    editor.page.get_by_role("button", name="Look again").click()
    expect(group).to_be_hidden()
    expect(editor.node("loader").locator(".plan")).to_be_visible()
