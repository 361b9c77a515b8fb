"""Reading documents: everything hostile is refused with its place, and everything else is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.errors import Problem, WorkflowError
from nodegraph.graph.loading import MAX_BYTES, MAX_DEPTH, load_document, parse_json

MINIMAL = {"nodegraph": 1, "nodes": {"one": {"type": "toy.number"}}}


def problem_of(source: Path | str | bytes | Mapping[str, Any]) -> Problem:
    with pytest.raises(WorkflowError) as caught:
        load_document(source)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("", "bad_json", "line 1, column 1"),
        ("{", "bad_json", "line 1, column 2"),
        ('{"nodegraph": 1,\n "nodes": {},}', "bad_json", "line 2, column 14"),
        ("nodegraph: 1", "bad_json", "not JSON"),
        (b"\xff\xfe{}", "bad_json", "not UTF-8 at byte 0"),
        (b'{"nodegraph": 1, "name": "\xed\xa0\x80"}', "bad_json", "not UTF-8 at byte 26"),
        (json.dumps(MINIMAL).encode("utf-16"), "bad_json", "not UTF-8"),
        ('{"nodegraph": 1, "nodes": {}, "nodes": {}}', "duplicate_key", "'nodes' stands twice"),
        (
            '{"nodegraph": 1, "nodes": {"a": {"type": "x", "inputs": {"b": 1, "b": 2}}}}',
            "duplicate_key",
            "'b'",
        ),
        ('{"nodegraph": 1, "nodes": {}, "name": "a: b", "name": "c: d"}', "duplicate_key", "'name'"),
        ('{"nodegraph": 1, "nodes": {}, "view": {"a": 1, "a": "\\u003a"}}', "duplicate_key", "'a'"),
        ('{"nodegraph": 1, "nodes": {}, "view": {"a": 1, "a": "\\u003A"}}', "duplicate_key", "'a'"),
        ('{"nodegraph": NaN}', "not_a_number", "NaN is not a value"),
        ('{"nodegraph": -Infinity}', "not_a_number", "-Infinity is not a value"),
        ('{"nodegraph": 1e999}', "not_a_number", "the number 1e999 is too large"),
        ('{"nodegraph": ' + "9" * 5000 + "}", "bad_json", "limit"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "too_deep", f"more than {MAX_DEPTH} levels"),
        ("[" * 200_000, "too_deep", f"more than {MAX_DEPTH} levels"),
        ('{"nodegraph": 1, "nodes": {}, "name": "\\ud800"}', "bad_text", "lone surrogate"),
        (" " * (MAX_BYTES + 1), "too_large", "64 MiB"),
        ("[]", "not_a_workflow", "a list"),
        ("null", "not_a_workflow", "None"),
        ('"text"', "not_a_workflow", "'text'"),
        ('{"nodes": {}}', "document_version", 'Add "nodegraph": 1.'),
        ('{"nodegraph": 2, "nodes": {}}', "document_version", "found 2"),
        ('{"nodegraph": "1", "nodes": {}}', "document_version", "found '1'"),
        ('{"nodegraph": true, "nodes": {}}', "document_version", "found True"),
        ('{"nodegraph": 1.0, "nodes": {}}', "document_version", "found 1.0"),
        ('{"3": {"class_type": "KSampler", "inputs": {}}}', "document_version", "ComfyUI prompt"),
        ('{"nodegraph": 1}', "missing_field", "'nodes' is missing"),
        ('{"nodegraph": 1, "nodes": []}', "bad_field", "'nodes' is not valid"),
        ('{"nodegraph": 1, "nodes": {"a": 5}}', "bad_field", "'nodes.a' is not valid"),
        ('{"nodegraph": 1, "nodes": {"a": {}}}', "missing_field", "'nodes.a.type' is missing"),
        ('{"nodegraph": 1, "nodes": {"1a": {"type": "x"}}}', "bad_name", "'1a' is not a node id"),
        ('{"nodegraph": 1, "nodes": {"a.b": {"type": "x"}}}', "bad_name", "'a.b' is not a node id"),
        ('{"nodegraph": 1, "nodes": {"a\\n": {"type": "x"}}}', "bad_name", "is not a node id"),
        ('{"nodegraph": 1, "nodes": {"a": {"type": "x", "mode": "off"}}}', "bad_field", "'nodes.a.mode'"),
        ('{"nodegraph": 1, "nodes": {"a": {"type": "x", "version": "2"}}}', "bad_field", "'nodes.a.version'"),
        ('{"nodegraph": 1, "nodes": {}, "inputs": {"p": {"to": ["a b"]}}}', "bad_field", "'inputs.p.to.0'"),
        ('{"nodegraph": 1, "nodes": {}, "outputs": {"p": {}}}', "missing_field", "'outputs.p.from'"),
    ],
    ids=lambda value: repr(value)[:48],
)
def test_what_cannot_be_read_is_named(text: str | bytes, code: str, named: str) -> None:
    problem = problem_of(text)
    assert problem.code == code
    assert named in problem.describe()


def test_the_node_of_a_bad_field_is_named() -> None:
    assert problem_of('{"nodegraph": 1, "nodes": {"a": {"type": 5}}}').node == "a"


def test_all_bad_fields_are_reported_at_once() -> None:
    with pytest.raises(WorkflowError) as caught:
        load_document('{"nodegraph": 1, "nodes": {"a": {}, "b": {"type": 5}, "1": {"type": "x"}}}')
    assert [problem.code for problem in caught.value.problems] == ["missing_field", "bad_field", "bad_name"]


@pytest.mark.parametrize(
    ("value", "code"),
    [(float("nan"), "bad_json"), (float("inf"), "bad_json"), ("\ud800", "bad_text"), ({1, 2}, "bad_json")],
    ids=repr,
)
def test_data_from_python_is_held_to_the_same_rules(value: object, code: str) -> None:
    assert problem_of({**MINIMAL, "view": {"x": value}}).code == code


def test_data_that_contains_itself_is_refused() -> None:
    view: dict[str, Any] = {}
    view["view"] = view
    assert problem_of({**MINIMAL, "view": view}).code == "too_deep"


def test_any_mapping_is_a_document() -> None:
    assert load_document(MappingProxyType(MINIMAL)).nodes["one"].type == "toy.number"


def test_a_byte_order_mark_is_no_problem() -> None:
    assert load_document(b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode()).nodes.keys() == {"one"}


def test_files_are_read_and_missing_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(MINIMAL))
    assert load_document(path).nodes.keys() == {"one"}
    problem = problem_of(tmp_path / "none.json")
    assert problem.code == "unreadable"
    assert "none.json" in problem.describe()
    assert problem_of(tmp_path).code == "unreadable"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert problem_of(path).code == "too_large"


IDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NODES = st.dictionaries(
    IDS,
    st.fixed_dictionaries(
        {"type": st.text()},
        optional={
            "inputs": st.dictionaries(st.text(), JSON, max_size=3), "title": st.text(), "x_unknown": JSON,
            "mode": st.sampled_from(["bypass", "mute"]), "version": st.integers(1, 9),
        },
    ),
    max_size=4,
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {"nodegraph": st.just(1), "nodes": NODES},
    optional={
        "name": st.text(), "view": st.dictionaries(st.text(), JSON, max_size=3), "x_unknown": JSON,
        "inputs": st.dictionaries(IDS, st.fixed_dictionaries({"to": st.lists(IDS)}, optional={"note": JSON})),
        "outputs": st.dictionaries(IDS, st.fixed_dictionaries({"from": IDS})),
    },
)  # fmt: skip


@given(DOCUMENTS)
def test_nothing_is_lost_and_saving_again_changes_nothing(data: dict[str, Any]) -> None:
    text = load_document(json.dumps(data)).to_text()
    assert json.loads(text) == data
    assert load_document(text).to_text() == text
    assert text.encode()


@given(st.binary(max_size=64) | st.text(max_size=64))
def test_noise_is_refused_in_words(noise: bytes | str) -> None:
    assert problem_of(noise).describe()


@given(JSON, st.integers(0, MAX_DEPTH - 8), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(data: Any, levels: int, ascii_only: bool) -> None:
    for level in range(levels):  # shallow data is read another way than deep data
        data = {"in:side": data} if level % 2 else [data]
    text = json.dumps(data, ensure_ascii=ascii_only)
    assert json.dumps(parse_json(text)) == json.dumps(data)


@given(JSON, st.text(), JSON, st.integers(0, 20), st.booleans())
def test_a_key_that_stands_twice_is_found(
    data: Any, key: str, other: Any, levels: int, ascii_only: bool
) -> None:
    name, first, second = (json.dumps(item, ensure_ascii=ascii_only) for item in (key, data, other))
    text = '{"a:": [' * levels + f"{{{name}: {first}, {name}: {second}}}" + "]}" * levels
    with pytest.raises(WorkflowError) as caught:
        parse_json(text)
    assert [problem.code for problem in caught.value.problems] == ["duplicate_key"]


@pytest.mark.parametrize("levels", [1, 8, 9, 10, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_nesting_is_bounded_whatever_strings_hold(levels: int) -> None:
    text = '{"]}": ' * levels + '"}"' + "}" * levels
    if levels <= MAX_DEPTH:
        assert json.dumps(parse_json(text)) == text
    else:
        with pytest.raises(WorkflowError, match="more than 64 levels"):
            parse_json(text)
