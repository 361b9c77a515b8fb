"""Files of every released format load for ever: they are rewritten byte by byte, and bind as they did.

The files in `tests/golden` are never changed. A new format adds a folder; what an old file becomes in it is
then checked beside the rewriting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.engine import Engine
from nodegraph.graph.export import to_python
from nodegraph.graph.loading import load_document

FOLDER = Path(__file__).parents[1] / "golden"
FILES = sorted(FOLDER.glob("*/*.json"))
KNOWN_PROBLEMS = {"unknown-nodes": ["unknown_type"]}
VALUES: dict[str, dict[str, Any]] = {
    "big-seeds": {
        "first.seed": 18446744073709551615, "second.seed": 9007199254740993, "second.denoise": 0.5,
        "third.denoise": 0.30000000000000004, "loader.file": "tiny.safetensors",
    },
    "escapes": {
        "link.value": '{"from": "other"}', "escaped.value": '{"value": 1}', "whole.value": 7,
        "list.items": [1, 2, 3], "small.value": 1e-308,
        "lines.value": "one\ntwo\ttab \\ \"quoted\" / \u007f \u2028 🙂",
    },
    "image-to-image": {"sample.denoise": 0.7, "resized.crop": "center"},
    "inpaint": {"mask.left": 24, "mask.bottom": 104},
    "lora": {"lora.strength": 1.0, "lora.text_strength": None},
    "smallest": {"number.value": 0.0},
    "subgraphs-and-modes": {"edit/small.width": 64, "edit/small.height": 0, "save.prefix": "nested/negative"},
    "text-to-image": {"sample.seed": 7, "sample.cfg": 4.0, "sample.denoise": 1.0, "latent.batch": 1},
    "unknown-fields": {"picture.file": "example.png", "save.prefix": "nodegraph"},
    "unknown-nodes": {},
}  # fmt: skip
"""Literals as the nodes get them, by `node.input`."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("data")) as engine:
        yield engine


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_file_is_rewritten_byte_by_byte(path: Path) -> None:
    assert load_document(path).to_text().encode() == path.read_bytes()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_file_binds_as_it_did(engine: Engine, path: Path) -> None:
    problems = [problem.code for problem in engine.check(path)]
    assert problems == KNOWN_PROBLEMS.get(path.stem, [])
    if not problems:
        nodes = engine.bind(path).nodes
        expected = VALUES[path.stem]
        found = {place: nodes[node].params[port] for place in expected for node, port in [place.split(".")]}
        assert found == expected
        assert {place: type(value) for place, value in found.items()} == {
            place: type(value) for place, value in expected.items()
        }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_file_comes_back_from_python(engine: Engine, path: Path) -> None:
    document = load_document(path)
    namespace: dict[str, Any] = {}
    exec(to_python(document, engine.registry), namespace)  # noqa: S102 - that it can be executed is the test
    assert json.dumps(namespace["document"].to_json(), sort_keys=True) == json.dumps(
        document.to_json(), sort_keys=True
    )


def test_every_golden_file_has_its_values() -> None:
    assert {path.stem for path in FILES} == VALUES.keys()
