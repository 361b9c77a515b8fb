"""A workflow finds its model files by content, and says of a missing one what would fix it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Engine
from nodegraph.errors import WorkflowError
from nodegraph.graph.document import Document
from nodegraph.graph.loading import load_document
from nodegraph.graph.requires import Required, required_models, with_models

SHIPPED = Path(__file__).parents[2] / "nodes" / "nodegraph_nodes" / "models"
SHOW = {"type": "text.encode", "inputs": {"encoder": {"from": "loader.text_encoder"}}}
LOADER = {"loader": {"type": "load.checkpoint", "inputs": {"file": "mine.safetensors"}}}


def workflow(**more: Any) -> dict[str, Any]:
    return {
        "nodegraph": 1,
        "nodes": {**LOADER, "show": SHOW},
        "outputs": {"conditioning": {"from": "show"}},
        **more,
    }  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    folder = tmp_path / "models" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").write_bytes((SHIPPED / "checkpoints" / "tiny.safetensors").read_bytes())
    with Engine(tmp_path) as engine:
        yield engine


def remember(engine: Engine) -> dict[str, Any]:
    """The workflow as it is saved, in JSON."""
    saved: dict[str, Any] = json.loads(engine.with_hashes(workflow()).to_text())
    return saved


def rename(engine: Engine, name: str) -> Path:
    folder = engine.data_dir / "models" / "checkpoints"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return (folder / "mine.safetensors").replace(folder / name)


def test_a_saved_document_holds_content_and_size_of_its_models(engine: Engine) -> None:
    saved = remember(engine)
    (entry,) = saved["requires"]["models"]["checkpoints"].values()
    path = engine.data_dir / "models" / "checkpoints" / "mine.safetensors"
    assert entry == {
        "sha256": engine.files.known("checkpoints", "mine.safetensors"), "size": path.stat().st_size,
    }  # fmt: skip
    assert {**saved, "requires": {}} == {**engine.load(workflow()).to_json(), "requires": {}}


def test_a_renamed_file_is_found_by_content_alone_and_the_plan_says_so(engine: Engine) -> None:
    saved = remember(engine)
    before = engine.plan(workflow()).entries
    rename(engine, "style/other name.safetensors")
    assert [problem.code for problem in engine.check(workflow())] == ["unknown_file"]
    assert engine.check(saved) == []
    plan = engine.plan(saved)
    (note,) = plan.graph.notes
    assert note.startswith("'mine.safetensors' is not in checkpoints: 'style/other name.safetensors' has the")
    assert plan.entries["loader"].node.params["file"] == "style/other name.safetensors"
    assert [entry.key for entry in plan.entries.values()] == [entry.key for entry in before.values()]


def test_files_of_another_size_are_not_even_read(engine: Engine) -> None:
    saved = remember(engine)
    moved = rename(engine, "moved.safetensors")
    (moved.parent / "bigger.safetensors").write_bytes(moved.read_bytes() + b"x")
    moved.write_bytes(moved.read_bytes())  # its times changed: only reading tells what it is
    hashed = engine.files.hashed
    assert engine.check(saved) == []
    assert engine.files.hashed in (hashed + 1, hashed + 2)  # the shipped file has the same size and content


def test_inside_subgraphs_too(engine: Engine) -> None:
    encoder = {"type": "text_encoder", "from": "loader.text_encoder"}
    subgraphs = {"open": {"nodes": LOADER, "outputs": {"encoder": encoder}}}
    nodes = {
        "opened": {"type": "#open"},
        "show": {"type": "text.encode", "inputs": {"encoder": {"from": "opened"}}},
    }
    document = workflow(nodes=nodes, subgraphs=subgraphs, requires=remember(engine)["requires"])
    assert engine.check(document) == []
    rename(engine, "moved.safetensors")
    assert engine.check(document) == []
    assert len(engine.plan(document).graph.notes) == 1


def test_what_is_missing_is_said_with_what_would_fix_it(engine: Engine) -> None:
    digest = "ab" * 32
    entry = {"sha256": digest, "size": 7, "source": "org/repo/mine.safetensors"}
    (engine.data_dir / "models" / "checkpoints" / "mine.safetensors").unlink()
    document = workflow(requires={"models": {"checkpoints": {"mine.safetensors": entry}}})
    (problem,) = engine.check(document)
    assert problem.code == "unknown_file"
    assert (
        f"nodegraph models pull org/repo/mine.safetensors --kind checkpoints --sha256 {digest}"
        in problem.describe()
    )
    with pytest.raises(WorkflowError, match=digest):
        engine.plan(document)


def test_a_run_record_holds_the_models_and_the_digest_of_a_document_does_not(engine: Engine) -> None:
    document = {
        "nodegraph": 1,
        "nodes": {
            "image": {"type": "image.load", "inputs": {"file": "example.png"}},
            "save": {"type": "image.save", "inputs": {"image": {"from": "image.image"}}},
        },
    }
    first = engine.run_sync(document)
    assert first.outcomes("saved") == []
    remembered = {**document, "requires": {"models": {"loras": {"x": {"sha256": "a" * 64}}}}}
    assert engine.run_sync(remembered).outcomes("saved") == ["save"]
    record = engine.run_sync(workflow()).record.document
    assert list(record["requires"]["models"]["checkpoints"]) == ["mine.safetensors"]


@pytest.mark.parametrize(
    "requires",
    [
        {"models": 3},
        {"models": {"loras": 3}},
        {"models": {"loras": {"x": 3}}},
        {"models": {"loras": {"x": {"sha256": 3}}}},
        {"models": {"loras": {"x": {"sha256": "short"}}}},
    ],
)
def test_what_makes_no_sense_there_is_left_alone(requires: dict[str, Any]) -> None:
    document = load_document({"nodegraph": 1, "nodes": {}, "requires": requires})
    assert required_models(document) == {}
    assert document.to_json()["requires"] == requires


def test_what_else_a_document_requires_stays() -> None:
    old = {"sha256": "b" * 64, "source": "org/repo/x"}
    document = Document.model_validate(
        {"nodegraph": 1, "nodes": {}, "requires": {"packs": {"a": "1"}, "models": {"vae": {"old": old}}}}
    )
    changed = with_models(document, {("loras", "new"): Required("c" * 64, 5, "")})
    assert changed.requires == {
        "packs": {"a": "1"},
        "models": {"vae": {"old": old}, "loras": {"new": {"sha256": "c" * 64, "size": 5}}},
    }
    assert required_models(changed)["vae", "old"] == Required("b" * 64, None, "org/repo/x")
