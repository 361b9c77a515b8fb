"""A text given as a workflow is a file, a template or JSON, and a file that is not there is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.engine import Engine
from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.sources import names_file
from tests.toy import shown, workflow

FLOW = workflow({"n": ("toy.number", {"value": 4})}, **shown("n"))


def problem_of(engine: Engine, source: Any) -> Problem:
    with pytest.raises(WorkflowError) as caught:
        engine.run_sync(source)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", ["nope.json", "nope.PNG", "nope.webp", "nope.jpg", "folder/nope", "a\\b"])
def test_a_path_to_nothing_is_no_bad_json(engine: Engine, name: str) -> None:
    problem = problem_of(engine, name)
    assert problem.code == "unreadable"
    assert f"'{name}' cannot be read: No such file" in problem.describe()
    assert problem.remedy


@pytest.mark.parametrize("name", ["flow.json", "{flow}/nested.json"])
def test_a_path_as_text_is_the_file(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(FLOW))
    source = str(path.absolute()) if name.startswith("{") else name
    assert engine.run_sync(source).outputs == engine.run_sync(path).outputs == {"result": 4.0}


def test_json_text_is_json_whatever_is_in_it(engine: Engine) -> None:
    text = json.dumps({**FLOW, "name": "a/b.json"})
    for written in (text, f"\n {text}", text.encode()):
        assert engine.run_sync(written).outputs == {"result": 4.0}
    assert problem_of(engine, "hello").code == "bad_json"
    assert problem_of(engine, "").code == "bad_json"


@given(st.text(max_size=30), st.sampled_from(["{", "[", " ", "\n", '"']))
def test_no_json_text_of_a_document_is_taken_for_a_path(text: str, start: str) -> None:
    assert not names_file(start + text)
