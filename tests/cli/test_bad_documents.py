"""What a bad document gets: a sentence with place and remedy, exit code 2, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, text_to_image, write

Doc = dict[str, Any]


def node(document: Doc, id_: str) -> Doc:
    found: Doc = document["nodes"][id_]
    return found


def with_input(id_: str, name: str, value: Any) -> Callable[[Doc], None]:
    return lambda document: node(document, id_).setdefault("inputs", {}).update({name: value})


def without_input(id_: str, name: str) -> Callable[[Doc], None]:
    return lambda document: node(document, id_)["inputs"].pop(name)


def with_input_mode(id_: str, mode: str) -> Callable[[Doc], None]:
    return lambda document: node(document, id_).update({"mode": mode})


def with_field(name: str, value: Any) -> Callable[[Doc], None]:
    return lambda document: document.update({name: value})


def with_node(id_: str, entry: Any) -> Callable[[Doc], None]:
    return lambda document: document["nodes"].update({id_: entry})


def without_node(id_: str) -> Callable[[Doc], None]:
    return lambda document: document["nodes"].pop(id_)


def without_field(name: str) -> Callable[[Doc], None]:
    return lambda document: document.pop(name)


CASES: list[tuple[str, Callable[[Doc], Any], list[str]]] = [
    ("no version", without_field("nodegraph"), ["no format version", '"nodegraph": 1']),
    ("future version", with_field("nodegraph", 2), ["format version", "expected 1, found 2", "Update"]),
    ("version as text", with_field("nodegraph", "1"), ["format version", "expected 1, found '1'"]),
    ("no nodes", with_field("nodes", {}), ["has no nodes"]),
    ("nodes missing", without_field("nodes"), ["'nodes' is missing"]),
    ("nodes as list", with_field("nodes", []), ["'nodes' is not valid"]),
    ("a node without a type", with_node("x", {"inputs": {}}), ["'nodes.x.type' is missing"]),
    ("a node as text", with_node("x", "image.save"), ["nodes.x"]),
    (
        "a node id with a space",
        with_node("my node", {"type": "image.invert"}),
        ["'my node' is not a node id"],
    ),
    ("a node id with a dot", with_node("a.b", {"type": "image.invert"}), ["'a.b' is not a node id"]),
    (
        "unknown node type",
        with_node("sample", {"type": "smaple"}),
        ["node 'sample'", "no node type is called 'smaple'", "Did you mean 'sample'?"],
    ),
    ("empty node type", with_node("x", {"type": ""}), ["node 'x'", "no node type is called ''"]),
    ("an undefined subgraph", with_node("x", {"type": "#mine"}), ["node 'x'", "no subgraph 'mine'"]),
    (
        "an unknown mode",
        with_node("x", {"type": "image.invert", "mode": "sleep"}),
        ["nodes.x.mode", "'sleep'"],
    ),
    ("the way to every result muted", with_input_mode("loader", "mute"), ["nothing in the workflow"]),
    (
        "another node version",
        with_node("latent", {"type": "latent.empty", "version": 9}),
        ["node 'latent'", "expected version 1, found version 9"],
    ),
    (
        "unknown input",
        with_input("sample", "step", 3),
        ["node 'sample', input 'step'", "has no such input", "Did you mean 'steps'"],
    ),
    (
        "missing link",
        without_input("sample", "model"),
        ["node 'sample', input 'model'", "is required", "expected model"],
    ),
    ("missing file", without_input("loader", "file"), ["node 'loader', input 'file'", "is required"]),
    (
        "text for a number",
        with_input("sample", "steps", "20"),
        ["node 'sample', input 'steps'", "wrong type", "whole number", "'20'"],
    ),
    ("a fraction for a whole number", with_input("sample", "steps", 2.5), ["input 'steps'", "found 2.5"]),
    ("true for a number", with_input("sample", "steps", True), ["input 'steps'", "wrong type", "True"]),
    ("null for a number", with_input("sample", "cfg", None), ["input 'cfg'", "wrong type", "None"]),
    (
        "a list for text",
        with_input("positive", "text", ["a"]),
        ["node 'positive', input 'text'", "wrong type"],
    ),
    ("an object for text", with_input("positive", "text", {"a": 1}), ["input 'text'", "neither a link nor"]),
    (
        "a value for a link",
        with_input("decode", "vae", "sd15"),
        ["input 'vae'", "takes a link", "node.output"],
    ),
    ("steps too small", with_input("sample", "steps", 0), ["out of range", "from 1 to 10000", "found 0"]),
    ("steps too large", with_input("sample", "steps", 10**6), ["out of range", "found 1000000"]),
    ("cfg below zero", with_input("sample", "cfg", -1), ["input 'cfg'", "out of range"]),
    ("denoise above one", with_input("sample", "denoise", 1.5), ["input 'denoise'", "out of range"]),
    ("seed below zero", with_input("sample", "seed", -1), ["input 'seed'", "out of range"]),
    ("seed too large", with_input("sample", "seed", 2**64), ["input 'seed'", "18446744073709551615"]),
    ("width no multiple of 8", with_input("latent", "width", 130), ["input 'width'", "found 130"]),
    ("a batch of none", with_input("latent", "batch", 0), ["input 'batch'", "out of range"]),
    (
        "unknown sampler",
        with_input("sample", "sampler", "eular"),
        ["input 'sampler'", "no 'eular' in samplers", "Did you mean 'euler'"],
    ),
    ("unknown scheduler", with_input("sample", "scheduler", "karas"), ["'karas' in schedulers", "'karras'"]),
    (
        "unknown method",
        with_node("r", {"type": "image.resize", "inputs": {"image": {"from": "decode"}, "method": "magic"}}),
        ["node 'r', input 'method'", "not in the menu", "bicubic"],
    ),
    (
        "unknown model file",
        with_input("loader", "file", "tinny.safetensors"),
        ["node 'loader', input 'file'", "no file 'tinny.safetensors' in checkpoints", "'tiny.safetensors'"],
    ),
    ("a file outside the folder", with_input("loader", "file", "../../secret"), ["no file '../../secret'"]),
    (
        "a link to nowhere",
        with_input("decode", "latent", {"from": "sampel"}),
        ["node 'decode', input 'latent'", "no node 'sampel'", "Did you mean 'sample'"],
    ),
    (
        "a link to a missing output",
        with_input("decode", "vae", {"from": "loader.va"}),
        ["node 'decode', input 'vae'", "no output 'va'", "'vae'"],
    ),
    (
        "a link that does not say which output",
        with_input("decode", "vae", {"from": "loader"}),
        ["'loader' has 3 outputs", "'loader.vae'"],
    ),
    (
        "a link to a node without outputs",
        with_input("decode", "latent", {"from": "save"}),
        ["'save' has 0 outputs"],
    ),
    (
        "a link of the wrong type",
        with_input("decode", "latent", {"from": "loader.model"}),
        ["node 'decode', input 'latent'", "does not fit", "expected latent, found model"],
    ),
    (
        "a cycle",
        with_input("latent", "width", {"from": "latent"}),
        ["node 'latent'"],
    ),
    (
        "a longer cycle",
        lambda document: (
            with_node("a", {"type": "image.invert", "inputs": {"image": {"from": "b"}}})(document),
            with_node("b", {"type": "image.invert", "inputs": {"image": {"from": "a"}}})(document),
        ),
        ["goes round in a circle", "a -> b", "Remove one of these links"],
    ),
    (
        "a named input to nowhere",
        with_field("inputs", {"prompt": {"to": ["positve.text"]}}),
        ["'prompt' feeds 'positve.text'", "does not exist", "'positive'"],
    ),
    (
        "a named output from nowhere",
        with_field("outputs", {"image": {"from": "dekode"}}),
        ["outputs.image", "no node 'dekode'", "'decode'"],
    ),
    (
        "nothing to run for",
        lambda document: (without_node("save")(document), without_field("outputs")(document)),
        ["nothing in the workflow shows or saves", "Add a save node"],
    ),
    ("a title that is no text", with_node("x", {"type": "image.invert", "title": 3}), ["nodes.x.title"]),
]


@pytest.mark.parametrize(
    ("break_it", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bad_document(cli: Cli, tmp_path: Path, break_it: Callable[[Doc], Any], expected: list[str]) -> None:
    document = text_to_image()
    break_it(document)
    before = sorted(tmp_path.rglob("*"))
    path = write(tmp_path / "bad.json", document)
    done = cli("run", path, "-q")
    assert done.code == 2, done.err
    for fragment in expected:
        assert fragment in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])


TEXTS: list[tuple[str, bytes, list[str]]] = [
    ("nothing", b"", ["not JSON", "line 1, column 1"]),
    ("broken off", b'{"nodegraph": 1, "nodes": {', ["not JSON", "line 1"]),
    ("no JSON at all", b"hello", ["not JSON"]),
    ("not UTF-8", b'{"nodegraph": "\xff\xfe\xfd"}', ["not JSON"]),
    ("a list", b"[1, 2]", ["a workflow is a JSON object", "a list"]),
    ("a number", b"7", ["a workflow is a JSON object"]),
    ("a key twice", b'{"nodegraph": 1, "nodes": {}, "nodes": {}}', ["'nodes' stands twice"]),
    ("NaN", b'{"nodegraph": 1, "nodes": {"a": {"type": "x", "inputs": {"v": NaN}}}}', ["NaN is not a value"]),
    (
        "infinity",
        b'{"nodegraph": 1, "nodes": {"a": {"type": "x", "inputs": {"v": -Infinity}}}}',
        ["-Infinity"],
    ),
    ("a number beyond all numbers", b'{"nodegraph": 1, "x": 1e999}', ["1e999 is too large"]),
    ("a number of 5,000 digits", b'{"nodegraph": 1, "x": ' + b"9" * 5000 + b"}", ["not JSON"]),
    ("deep nesting", b'{"nodegraph": 1, "x": ' + b"[" * 100 + b"]" * 100 + b"}", ["more than 64 levels"]),
    ("absurd nesting", b"[" * 200_000, ["more than 64 levels"]),
    ("a ComfyUI prompt", b'{"3": {"class_type": "KSampler", "inputs": {}}}', ["looks like a ComfyUI prompt"]),
    ("a picture that is none", b"\x89PNG\r\n\x1a\nbroken", ["cannot be read"]),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_bad_text(cli: Cli, tmp_path: Path, data: bytes, expected: list[str]) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    done = cli("run", path)
    assert done.code == 2
    assert done.out == ""
    for fragment in expected:
        assert fragment in done.err


def test_all_problems_are_reported_at_once(cli: Cli, tmp_path: Path) -> None:
    document = text_to_image()
    with_input("sample", "steps", 0)(document)
    with_input("sample", "sampler", "nope")(document)
    with_input("decode", "latent", {"from": "loader.model"})(document)
    without_input("save", "image")(document)
    done = cli("check", write(tmp_path / "bad.json", document))
    assert done.code == 2
    assert done.err.count("error: ") == 4


def test_there_are_enough_cases() -> None:
    assert len(CASES) + len(TEXTS) >= 60


def test_unknown_fields_are_no_problem(cli: Cli, tmp_path: Path) -> None:
    document = text_to_image()
    document["made_with"] = {"editor": "9.9"}
    document["nodes"]["save"]["colour"] = "blue"
    assert cli("check", write(tmp_path / "ok.json", document)).code == 0
    assert json.loads((tmp_path / "ok.json").read_text()) == document
