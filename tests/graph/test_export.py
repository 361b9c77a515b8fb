"""A workflow as Python code, executed, is the same workflow; and the code is what a person would write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.graph.document import Document
from nodegraph.graph.export import to_python
from nodegraph.graph.loading import load_document
from nodegraph.packs import load_packs
from nodegraph.registry import Registry
from tests.graph.typed_nodes import TypedPack
from tests.toy import Toy

ROOT = Path(__file__).parents[2]
REGISTRY: Registry = load_packs(extra=[("toy", Toy()), ("typed", TypedPack())]).registry


def executed(code: str) -> Document:
    namespace: dict[str, Any] = {}
    exec(compile(code, "exported", "exec"), namespace)  # noqa: S102 - that it can be executed is the test
    document = namespace["document"]
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize("name", sorted(REGISTRY.templates))
def test_a_template_comes_back_the_same(name: str) -> None:
    document = load_document(REGISTRY.templates[name])
    code = to_python(document, REGISTRY)
    assert executed(code).to_json() == document.to_json()
    assert "g.raw" not in code
    assert "g.node" not in code
    assert "g.link" not in code


def test_the_code_is_plain() -> None:
    document = load_document(
        {
            "nodegraph": 1,
            "name": "plain",
            "nodes": {
                "sum": {"type": "typed.add", "inputs": {"a": {"from": "typed_parts.rest"}, "b": 2.5}},
                "typed_parts": {"type": "typed.parts", "inputs": {"number": 7.0}, "title": "Parts"},
                "toy": {"type": "toy.total", "inputs": {"a": {"from": "sum"}}},
            },
            "inputs": {"number": {"to": ["typed_parts.number"], "help": "which"}, "b": {"to": ["toy.b"]}},
            "outputs": {"sum": {"from": "sum"}},
            "view": {"zoom": 1},
        }
    )
    assert to_python(document, REGISTRY) == (
        "from nodegraph import Graph\n"
        "from tests.graph import typed_nodes\n"
        "\n"
        'g = Graph("plain")\n'
        'number = g.input("number", 7.0, help="which")\n'
        'g.feeds("b", "toy.b")\n'
        "\n"
        'typed_parts = g(typed_nodes.parts, title="Parts")(number=number)\n'
        'sum = g(typed_nodes.add, id="sum")(a=typed_parts.rest, b=2.5)\n'
        'g.node("toy.total", id="toy")(a=sum)\n'
        "\n"
        'g.output("sum", sum)\n'
        'g.field("view", {"zoom": 1})\n'
        "document = g.document()\n"
    )


def test_named_inputs_may_feed_values_of_growing_inputs() -> None:
    nodes = {
        "one": {"type": "typed.total", "inputs": {"numbers": [1, 2, {"from": "two"}]}},
        "two": {"type": "typed.listed", "inputs": {"first": "a", "named": {"x": 2, "y": 3}}},
        "three": {"type": "typed.total", "inputs": {"numbers": [4, 5]}},
    }
    inputs = {
        "shared": {"to": ["two.named.x", "one.numbers[1]"]},
        "other": {"to": ["one.numbers[2]"]},
        "whole": {"to": ["three.numbers"]},
        "missing": {"to": ["three.numbers[7]"]},
    }
    document = load_document({"nodegraph": 1, "nodes": nodes, "inputs": inputs})
    code = to_python(document, REGISTRY)
    assert executed(code).to_json() == document.to_json()
    assert 'shared = g.input("shared", 2)' in code
    assert 'typed_nodes.total, id="one")(1, shared, two)' in code
    assert [line for line in code.splitlines() if "feeds" in line] == [
        'g.feeds("other", "one.numbers[2]")',
        'g.feeds("whole", "three.numbers")',
        'g.feeds("missing", "three.numbers[7]")',
    ]


def test_subgraphs_are_typed_functions() -> None:
    document = load_document(
        {
            "nodegraph": 1,
            "nodes": {
                "loop": {"type": "logic.fold", "inputs": {"body": "#step", "items": ["a"], "initial": 2.0}},
                "top": {"type": "#both", "inputs": {"x": {"from": "loop"}, "y": 1}},
                "other": {"type": "#raw"},
            },
            "outputs": {"rest": {"from": "top.rest"}},
            "subgraphs": {
                "both": {
                    "inputs": {"x": {"type": "float", "default": 1}, "y": {"type": "seed", "help": "why"}},
                    "outputs": {
                        "whole": {"type": "float", "from": "one"},
                        "rest": {"type": "float", "from": "two.rest"},
                    },
                    "nodes": {
                        "one": {"type": "#step", "inputs": {"state": {"input": "x"}, "item": "a"}},
                        "two": {"type": "typed.parts", "inputs": {"number": {"input": "y"}}},
                    },
                },
                "step": {
                    "version": 1,
                    "inputs": {"state": {"type": "float"}, "item": {"type": "text"}},
                    "outputs": {"state": {"type": "float", "from": "add"}},
                    "nodes": {"add": {"type": "typed.total", "inputs": {"numbers": [{"input": "state"}, 1]}}},
                },
                "raw": {"nodes": {}, "colour": "red"},
            },
        }
    )  # fmt: skip
    code = to_python(document, REGISTRY)
    assert executed(code).to_json() == document.to_json()
    assert code == (
        "from nodegraph import Graph\n"
        "from nodegraph import marks\n"
        "from nodegraph_nodes import nodes\n"
        "import pydantic\n"
        "from tests.graph import typed_nodes\n"
        "import typing\n"
        "\n"
        "g = Graph()\n"
        "\n"
        "\n"
        '@g.subgraph(output="state", version=1)\n'
        "def step(s: Graph, state: float, item: str) -> float:\n"
        '    add = s(typed_nodes.total, id="add")(state, 1)\n'
        "    return add\n"
        "\n"
        'g.raw_subgraph("raw", {"nodes": {}, "colour": "red"})\n'
        "\n"
        "\n"
        "class BothResult(typing.NamedTuple):\n"
        "    whole: float\n"
        "    rest: float\n"
        "\n"
        "\n"
        "@g.subgraph\n"
        "def both(s: Graph, x: float = 1, *, y: typing.Annotated[marks.Seed, "
        'pydantic.Field(description="why")]) -> BothResult:\n'
        '    one = s(step, id="one")(state=x, item="a")\n'
        '    two = s(typed_nodes.parts, id="two")(number=y)\n'
        "    return BothResult(whole=one, rest=two.rest)\n"
        "\n"
        'loop = g(nodes.logic_fold, id="loop")(body=step, items=["a"], initial=2.0)\n'
        'g.node("#raw", id="other")()\n'
        'top = g(both, id="top")(x=loop, y=1)\n'
        "\n"
        'g.output("rest", top.rest)\n'
        "document = g.document()\n"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "tests/golden/format-1").glob("*.json")) + sorted(
    (ROOT / "examples").glob("*.json")), ids=lambda path: path.stem)  # fmt: skip
def test_a_file_comes_back_the_same(path: Path) -> None:
    document = load_document(path)
    assert executed(to_python(document, REGISTRY)).to_json() == document.to_json()


IDS = st.sampled_from(["a", "b", "typed_add", "typed_add_2", "g", "Graph", "document", "for", "x-y", "nodes"])
REFERENCES = IDS | st.builds(
    "{}.{}".format, IDS, st.sampled_from(["value", "whole", "rest", "length", "graph", "__len__", "if", "b"])
)
MEMBERS = st.builds("{}.numbers[{}]".format, IDS, st.integers(0, 2))
LINKS = st.builds(lambda reference: {"from": reference}, REFERENCES)
ARGUMENTS = st.builds(lambda name: {"input": name}, st.sampled_from(["a", "b", "s", "value", "nodes", "zz"]))
PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
LITERALS = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner | LINKS | ARGUMENTS, max_size=2)
        | st.dictionaries(st.sampled_from(["from", "value", "k", "x y"]), inner | LINKS, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(["a", "b", "number", "by", "text", "value", "numbers", "if", "x y", "self"])
ENTRIES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [*(id_ for id_ in REGISTRY.nodes if "t" in id_), "unknown", "#sub", "#other", "#for"]
        )
    },
    optional={
        "inputs": st.dictionaries(NAMES, LITERALS | LINKS | ARGUMENTS, max_size=3),
        "title": st.none() | st.text(max_size=3),
        "mode": st.sampled_from([None, "bypass", "mute"]),
        "version": st.none() | st.integers(1, 3),
        "colour": LITERALS,
    },
)
TYPES = st.sampled_from(
    [
        "float", "text", "seed", "image", "unknown", {"type": "int"},
        {"type": "list", "item": {"type": "float"}},
        {"type": "optional", "item": {"type": "image"}}, {"type": "menu", "options": ["a", 1]},
        {"type": "choice", "registry": "samplers"}, {"type": "list", "item": {"type": "text"}, "wraps": True},
        {"type": "union", "options": [{"type": "int"}, {"type": "text"}]}, {"type": "generic", "name": "T"},
    ]
)  # fmt: skip
PARAMETERS = st.sampled_from(
    ["a", "b", "s", "g", "value", "self", "nodes", "float", "marks", "values", "if", "x y"]
)
DEFINITIONS = st.fixed_dictionaries(
    {"nodes": st.dictionaries(IDS, ENTRIES, max_size=3)},
    optional={
        "version": st.integers(1, 3),
        "title": st.none() | st.text(max_size=3),
        "colour": PLAIN,
        "inputs": st.dictionaries(
            PARAMETERS,
            st.fixed_dictionaries(
                {"type": TYPES}, optional={"default": LITERALS, "help": st.none() | st.text(max_size=3)}
            ),
            max_size=4,
        ),
        "outputs": st.dictionaries(
            st.sampled_from(["result", "state", "count", "_x", "if"]),
            st.fixed_dictionaries({"type": TYPES, "from": REFERENCES}, optional={"colour": PLAIN}),
            max_size=3,
        ),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"nodegraph": st.just(1), "nodes": st.dictionaries(IDS, ENTRIES, max_size=4)},
    optional={
        "name": st.sampled_from(["", 'my "name"\n']),
        "subgraphs": st.dictionaries(
            st.sampled_from(["sub", "other", "for", "nodes", "list", "x y"]), DEFINITIONS, max_size=3
        ),
        "inputs": st.dictionaries(
            IDS,
            st.fixed_dictionaries(
                {"to": st.lists(REFERENCES | MEMBERS, max_size=3)},
                optional={"help": st.none() | st.text(max_size=3), "colour": PLAIN},
            ),
            max_size=3,
        ),
        "outputs": st.dictionaries(
            st.text(max_size=3),
            st.fixed_dictionaries({"from": REFERENCES}, optional={"colour": PLAIN}),
            max_size=2,
        ),
        "view": st.dictionaries(st.text(max_size=3), LITERALS, max_size=2),
        "colour": LITERALS,
    },
)


@given(DOCUMENTS)
def test_any_document_comes_back_the_same(data: dict[str, Any]) -> None:
    document = load_document(data)
    again = executed(to_python(document, REGISTRY))
    assert again.to_json() == document.to_json()
    assert repr(sorted(again.to_json()["nodes"].items())) == repr(sorted(document.to_json()["nodes"].items()))


WELL_FORMED = st.lists(
    st.tuples(st.sampled_from(["typed.add", "toy.add", "typed.later"]), st.integers(0, 9), st.floats(-9, 9)),
    min_size=1,
    max_size=6,
)


@given(WELL_FORMED, st.booleans())
def test_what_can_run_is_written_without_raw_parts(rows: list[tuple[str, int, float]], named: bool) -> None:
    nodes: dict[str, Any] = {}
    for index, (type_, source, number) in enumerate(rows):
        first = "number" if type_ == "typed.later" else "a"
        value = {"from": f"n{source % index}"} if index and source % 2 else number
        nodes[f"n{index}"] = {"type": type_, "inputs": {first: value}}
    inputs = {"start": {"to": [f"n0.{next(iter(nodes['n0']['inputs']))}"]}} if named else {}
    document = load_document({"nodegraph": 1, "nodes": nodes, **({"inputs": inputs} if inputs else {})})
    code = to_python(document, REGISTRY)
    assert executed(code).to_json() == document.to_json()
    assert not any(word in code for word in ("g.raw", "g.link", "g.feeds", "g.field"))
