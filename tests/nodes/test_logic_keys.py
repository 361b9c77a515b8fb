"""What a loop depends on through its body: files, fingerprints and definitions, however they are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nodegraph_nodes
from nodegraph import Engine
from nodegraph.packs import load_packs
from tests.toy import Toy, shown, workflow


@pytest.fixture
def engine(toy: Toy, tmp_path: Path) -> Iterator[Engine]:
    packs = load_packs(extra=[("builtin", nodegraph_nodes), ("toy", toy)], installed=False)
    with Engine(tmp_path / "data", packs=packs) as made:
        yield made


def loop(body: Any, /, **subgraphs: Any) -> dict[str, Any]:
    each = ("logic.for_each", {"body": body, "items": [1.0]})
    return workflow({"loop": each}, subgraphs=subgraphs, **shown("loop"))


def gives(type_: str | dict[str, Any], node: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    return {
        "inputs": inputs,
        "outputs": {"result": {"type": type_, "from": "made"}},
        "nodes": {"made": node},
    }


def result(engine: Engine, flow: dict[str, Any]) -> Any:
    return engine.run_sync(flow).outputs["result"]


def test_a_fingerprint_inside_a_body_counts(engine: Engine, toy: Toy) -> None:
    flow = loop("#body", body=gives("float", {"type": "toy.watch", "inputs": {"number": 2.0}}))
    result(engine, flow)
    toy.fingerprint = "2"
    result(engine, flow)
    assert toy.calls["watch"] == 2


def test_a_file_that_is_a_bodys_default_counts_by_its_content(engine: Engine) -> None:
    place = engine.data_dir / "inputs" / "a.png"
    place.parent.mkdir(parents=True)
    read = {"type": "toy.read", "inputs": {"file": {"input": "file"}}}
    flow = loop(
        "#body",
        body=gives("text", read, file={"type": {"type": "file", "kind": "images"}, "default": "a.png"}),
    )
    place.write_text("before")
    assert result(engine, flow) == ["before"]
    place.write_text("after, and longer")
    assert result(engine, flow) == ["after, and longer"]


@pytest.mark.parametrize("written", ["#inner", {"value": "#inner"}])
def test_a_body_inside_a_body_counts_however_it_is_named(engine: Engine, written: Any) -> None:
    each = {"type": "logic.for_each", "inputs": {"body": written, "items": [1.0]}}
    numbers = {"type": "list", "item": {"type": "float"}}

    def flow(number: float) -> dict[str, Any]:
        inner = gives("float", {"type": "toy.number", "inputs": {"value": number}})
        return loop(
            "#outer",
            outer={**gives("x", each), "outputs": {"result": {"type": numbers, "from": "made"}}},
            inner=inner,
        )

    assert result(engine, flow(1.0)) == [[1.0]]
    assert result(engine, flow(2.0)) == [[2.0]]


def test_a_body_that_is_named_by_an_argument_counts(engine: Engine) -> None:
    each = {"type": "logic.for_each", "inputs": {"body": {"input": "which"}, "items": [1.0]}}
    numbers = {"type": "list", "item": {"type": "float"}}

    def flow(number: float) -> dict[str, Any]:
        inner = gives("float", {"type": "toy.number", "inputs": {"value": number}})
        use = {"type": "#each", "inputs": {"which": "#inner"}}
        return loop(
            "#outer",
            outer=gives(numbers, use),
            inner=inner,
            each=gives(numbers, each, which={"type": "text"}),
        )

    assert result(engine, flow(1.0)) == [[1.0]]
    assert result(engine, flow(2.0)) == [[2.0]]


def test_a_default_of_a_body_is_checked_and_converted(engine: Engine) -> None:
    add = {"type": "toy.add", "inputs": {"a": {"input": "more"}}}
    [problem] = engine.check(loop("#body", body=gives("float", add, more={"type": "float", "default": "x"})))
    assert (problem.code, problem.node) == ("wrong_type", "#body/@more")
    assert result(engine, loop("#body", body=gives("float", add, more={"type": "float", "default": 2}))) == [
        3.0
    ]


@pytest.mark.parametrize(("change", "code"), [({"mode": "mute"}, "unknown_output"), ({}, "wrong_type")])
def test_a_body_gives_what_it_declares(engine: Engine, change: dict[str, Any], code: str) -> None:
    body = gives("float", {"type": "toy.pick", "inputs": {}, **change})
    [problem] = engine.check(loop("#body", body=body))
    assert (problem.code, problem.node, problem.input) == (code, "#body", "outputs.result")


def test_titles_places_and_origin_of_a_body_change_no_key(engine: Engine, toy: Toy) -> None:
    body = gives("float", {"type": "toy.watch", "inputs": {"number": 2.0}})
    dressed = {
        **body,
        "title": "Watch",
        "library": {"name": "watch", "revision": 3},
        "view": {"nodes": {"made": {"x": 3, "y": 4}}},
        "nodes": {"made": {**body["nodes"]["made"], "title": "Made"}},
    }
    assert result(engine, loop("#body", body=body)) == result(engine, loop("#body", body=dressed))
    assert toy.calls["watch"] == 1
