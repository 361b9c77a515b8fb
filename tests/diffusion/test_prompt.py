"""Prompts are read as ComfyUI reads them, and written so that they are read back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.diffusion.text.prompt import Weighted, format_prompt, parse_prompt

TEXTS = st.text(st.sampled_from("ab :.1\\()[]\n é"), min_size=1, max_size=12)
STRETCHES = st.lists(
    st.builds(Weighted, TEXTS, st.one_of(st.just(1.0), st.floats(-10, 10))), min_size=0, max_size=6
)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("a cat", [("a cat", 1.0)]),
        ("a (red) cat", [("a ", 1.0), ("red", 1.1), (" cat", 1.0)]),
        ("a (red:1.3) cat", [("a ", 1.0), ("red", 1.3), (" cat", 1.0)]),
        ("((red))", [("red", 1.1 * 1.1)]),
        ("(((red)))", [("red", 1.1 * 1.1 * 1.1)]),
        ("(a (b:1.5) c:0.5)", [("a ", 0.5), ("b", 1.5), (" c", 0.5)]),  # a number is not multiplied
        ("((b):1.5)", [("b", 1.5 * 1.1)]),
        ("((b:1.5))", [("b", 1.5)]),
        ("(a (b) c)", [("a ", 1.1), ("b", 1.1 * 1.1), (" c", 1.1)]),
        (r"a \(red\) cat", [("a (red) cat", 1.0)]),
        (r"(smile \(art\):1.2)", [("smile (art)", 1.2)]),
        (r"\\(red)", [("\\(red)", 1.0)]),  # the second backslash takes the bracket
        ("[red]", [("[red]", 1.0)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("(a:1:2)", [("a:1", 2.0)]),
        ("(:1.2)", [(":1.2", 1.1)]),
        ("(a: 1.2 )", [("a", 1.2)]),
        ("(a:-1)", [("a", -1.0)]),
        ("(a:1e-1)", [("a", 0.1)]),
        ("(a:nan)(b:inf)", [("a:nan", 1.1), ("b:inf", 1.1)]),
        ("()", []),
        ("(a b", [("(a b", 1.0)]),
        ("(a (b)", [("a ", 1.1), ("(b", 1.1)]),  # never closed, but the text ends in a bracket
        ("a) b (c)", [("a) b (c)", 1.0)]),
        ("(a)) (b)", [("a", 1.1), (") (b)", 1.0)]),
        ("(a:1.2)(b)", [("a", 1.2), ("b", 1.1)]),
    ],
)
def test_prompts_are_read_as_comfyui_reads_them(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert parse_prompt(prompt) == expected


@given(STRETCHES)
def test_what_is_written_is_read_back(stretches: list[Weighted]) -> None:
    assert parse_prompt(format_prompt(stretches)) == stretches


@given(st.text(st.sampled_from("ab:1.(\\) "), max_size=30))
def test_every_text_is_read_and_survives_writing(text: str) -> None:
    stretches = parse_prompt(text)
    assert all(stretch.text for stretch in stretches)
    assert parse_prompt(format_prompt(stretches)) == stretches


@given(st.text(st.characters(exclude_characters="()"), max_size=30))
def test_without_brackets_a_prompt_is_its_text(text: str) -> None:
    assert parse_prompt(text) == ([Weighted(text)] if text else [])
    assert format_prompt(parse_prompt(text)) == text


def test_deep_nesting_is_read_without_recursion() -> None:
    depth = 1000
    ((text, weight),) = parse_prompt("(" * depth + "a" + ")" * depth)
    assert text == "a"
    assert weight == pytest.approx(1.1**depth, rel=1e-9)


@pytest.mark.parametrize("bad", [Weighted(""), Weighted("a", float("inf")), Weighted("a", float("nan"))])
def test_what_no_prompt_can_say_is_not_written(bad: Weighted) -> None:
    with pytest.raises(ValueError, match="finite weight"):
        format_prompt([bad])
