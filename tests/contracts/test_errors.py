"""Errors are data and sentences: the same problem for the editor, the API and a terminal."""

from __future__ import annotations

import pytest

from nodegraph.errors import InputError, NodegraphError, Problem, WorkflowError


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (Problem("c", "it broke"), "it broke."),
        (Problem("c", "did it break?"), "did it break?"),
        (Problem("c", "it broke", node="n"), "node 'n': it broke."),
        (Problem("c", "it broke", node="n", title="n"), "node 'n': it broke."),
        (Problem("c", "it broke", node="n", title="N", input="i"), "node 'n' (N), input 'i': it broke."),
        (Problem("c", "it broke", input="i"), "input 'i': it broke."),
        (Problem("c", "it broke", expected="a"), "it broke; expected a."),
        (Problem("c", "it broke", found="b"), "it broke; found b."),
        (Problem("c", "it broke", expected="a", found="b"), "it broke; expected a, found b."),
        (Problem("c", "it broke", remedy="Mend it."), "it broke. Mend it."),
    ],
)
def test_a_problem_is_one_or_two_sentences(problem: Problem, sentence: str) -> None:
    assert problem.describe() == sentence


def test_a_problem_travels_as_its_set_fields() -> None:
    assert Problem("c", "m", node="n").to_json() == {"code": "c", "message": "m", "node": "n"}


def test_a_problem_is_placed_once() -> None:
    placed = Problem("c", "m").at("n", "N")
    assert (placed.node, placed.title) == ("n", "N")
    assert placed.at("other") is placed


def test_an_error_reads_as_its_problem() -> None:
    error = InputError("no such file", input="file", remedy="Check it.")
    assert str(error) == error.describe() == "input 'file': no such file. Check it."
    assert error.problem.code == "bad_input"
    assert isinstance(error, NodegraphError)


def test_a_workflow_error_lists_all_its_problems() -> None:
    error = WorkflowError([Problem("a", "one"), Problem("b", "two")])
    assert str(error) == "one.\ntwo."
    assert error.problem.message == "the workflow has 2 problems"
