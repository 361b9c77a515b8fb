"""A workflow as a function: named inputs, seeds, and templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nodegraph import hookimpl
from nodegraph.declare import node_type
from nodegraph.engine import Engine
from nodegraph.errors import InputError, WorkflowError
from nodegraph.graph.document import Document
from nodegraph.graph.inputs import input_specs, parse_text
from tests.toy import Toy, shown, toy_packs, workflow

FLOW = workflow(
    {
        "one": ("toy.number", {"value": 1}),
        "sum": ("toy.add", {"a": "@one", "b": 2}),
        "first": ("toy.draw", {"seed": 1}),
        "second": ("toy.draw", {"seed": 2}),
        "alone": ("toy.draw", {}),
        "applied": ("toy.apply", {"number": "@sum"}),
    },
    inputs={
        "b": {"to": ["sum.b"]},
        "seed": {"to": ["first.seed", "second.seed"]},
        "alone": {"to": ["alone.seed"]},
        "operation": {"to": ["applied.operation"]},
        "a": {"to": ["sum.a"]},
    },
    outputs={
        "sum": {"from": "sum"}, "first": {"from": "first"}, "second": {"from": "second"},
        "alone": {"from": "alone"}, "applied": {"from": "applied.value"},
    },
)  # fmt: skip


def test_named_inputs_feed_every_place_they_name(engine: Engine) -> None:
    outputs = engine.run_sync(FLOW, b=10, seed=7, operation="square").outputs
    assert outputs == {"sum": 11.0, "first": 7, "second": 7, "alone": 0, "applied": 121.0}


def test_a_named_input_may_replace_a_link(engine: Engine) -> None:
    assert engine.run_sync(FLOW, a=5, targets=["sum"]).outputs["sum"] == 7.0


def test_the_document_itself_does_not_change(engine: Engine) -> None:
    document = engine.load(FLOW)
    before = document.to_text()
    engine.run_sync(document, b=10, seed="random")
    assert document.to_text() == before


def test_all_wrong_inputs_are_reported_with_the_problems_of_the_document(engine: Engine) -> None:
    broken = {**FLOW, "nodes": {**FLOW["nodes"], "odd": {"type": "toy.od"}}}
    problems = engine.check(broken, bb=1, b="two", seed=-1, operation="duoble")
    assert [(problem.code, problem.input or problem.node) for problem in problems] == [
        ("unknown_input", None), ("wrong_type", "b"), ("out_of_range", "seed"), ("not_in_menu", "operation"),
        ("unknown_type", "odd"),
    ]  # fmt: skip
    assert "Did you mean 'b'?" in problems[0].describe()
    assert "Did you mean 'double'?" in problems[3].describe()


def test_a_workflow_without_inputs_says_so(engine: Engine) -> None:
    (problem,) = engine.check(workflow({"a": ("toy.number", {})}), prompt="x")
    assert problem.describe() == "the workflow has no input 'prompt'. The workflow has no named inputs."


def test_random_seeds_of_one_input_stay_in_step_and_are_recorded(engine: Engine) -> None:
    result = engine.run_sync(FLOW, seed="random", alone="random")
    first, second, alone = (result.outputs[name] for name in ("first", "second", "alone"))
    assert first == second
    assert first != alone
    assert result.record.inputs["seed"] == first
    assert result.record.document["nodes"]["second"]["inputs"]["seed"] == first
    assert engine.run_sync(FLOW, seed="random").outputs["first"] != first


def test_a_random_seed_in_the_document_is_drawn_at_every_submit(engine: Engine) -> None:
    flow = workflow({"a": ("toy.draw", {"seed": "random"})}, **shown("a"))
    drawn = {engine.run_sync(flow).outputs["result"] for _ in range(3)}
    assert len(drawn) == 3
    assert all(0 <= seed < 2**32 for seed in drawn)


def test_random_is_a_seed_and_nothing_else(engine: Engine) -> None:
    (problem,) = engine.check(workflow({"a": ("toy.number", {"value": "random"})}))
    assert problem.code == "wrong_type"


@pytest.mark.parametrize(("seed", "fits"), [(0, True), (2**64 - 1, True), (2**64, False), (-1, False)])
def test_seeds_have_64_bits_through_json_and_back(engine: Engine, seed: int, fits: bool) -> None:
    flow = json.dumps(workflow({"a": ("toy.draw", {"seed": seed})}, **shown("a")))
    if fits:
        assert engine.run_sync(flow).outputs["result"] == seed
        assert str(seed) in engine.load(flow).to_text()
    else:
        assert [problem.code for problem in engine.check(flow)] == ["out_of_range"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("b", "2.5", 2.5), ("b", "2", 2), ("b", "two", "two"), ("seed", "random", "random"),
        ("seed", "7", 7), ("operation", "12", "12"), ("operation", "double", "double"),
    ],
)  # fmt: skip
def test_text_from_a_command_line_is_read_by_its_socket(
    engine: Engine, name: str, text: str, value: object
) -> None:
    spec = input_specs(engine.load(FLOW), engine.registry)[name]
    assert parse_text(spec, text) == value


def test_the_record_holds_defaults_where_nothing_was_given(engine: Engine) -> None:
    inputs = engine.run_sync(FLOW).record.inputs
    assert inputs["alone"] == 0
    assert inputs["operation"] == "double"


def test_an_object_as_a_value_is_escaped() -> None:
    document = Document.model_validate(workflow({"a": ("toy.number", {})}))
    changed = document.with_values({("a", "value"): {"from": "b"}})
    assert changed.nodes["a"].inputs["value"] == {"value": {"from": "b"}}


class Templates:
    """A pack with templates, in a folder of its own."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths

    @hookimpl
    def register_templates(self) -> list[Path]:
        return list(self.paths)


def _template(folder: Path, flow: Any = FLOW) -> Path:
    folder.mkdir()
    path = folder / "sums.json"
    path.write_text(json.dumps(flow))
    return path


def test_templates_run_by_name_and_unknown_ones_are_named(tmp_path: Path) -> None:
    packs = toy_packs(Toy(), ("sums", Templates(_template(tmp_path / "a"))))
    with Engine(tmp_path, packs=packs) as engine:
        assert engine.run_sync("template:sums", b=3).outputs["sum"] == 4.0
        with pytest.raises(InputError, match=r"no template 'sms'.*sums"):
            engine.load("template:sms")


def test_a_pack_cannot_take_the_name_of_a_template(tmp_path: Path) -> None:
    first, second = _template(tmp_path / "a"), _template(tmp_path / "b")
    packs = toy_packs(Toy(), ("first", Templates(first)), ("second", Templates(second)))
    assert packs.registry.templates == {"sums": first}
    assert [failure.pack.name for failure in packs.failures] == ["second"]


def test_a_damaged_template_is_refused_like_any_document(tmp_path: Path) -> None:
    packs = toy_packs(Toy(), ("sums", Templates(_template(tmp_path / "a", {"nodegraph": 9}))))
    with Engine(tmp_path, packs=packs) as engine, pytest.raises(WorkflowError, match="found 9"):
        engine.run_sync("template:sums")


def test_the_toy_pack_declares_what_the_tests_think(toy: Toy) -> None:
    assert all(node_type(item).help for item in toy.register_nodes())
