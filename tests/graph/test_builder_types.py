"""Type checkers follow the values through a graph: right code passes, wrong code is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

from nodegraph.graph.export import to_python
from nodegraph.graph.loading import load_document
from nodegraph.packs import load_packs

ROOT = Path(__file__).parents[2]
HEAD = """
from typing import NamedTuple, assert_type

from nodegraph import Conditioning, Graph, Image, Latent, Model, Vae
from nodegraph_nodes import nodes
from tests.graph.typed_nodes import add, later, parts

g = Graph("typed")
checkpoint = g(nodes.load_checkpoint)(file="tiny.safetensors")
latent = g(nodes.latent_empty)(width=64)
image = g(nodes.image_load)(file="example.png").image


def shrink(s: Graph, latent: Latent, size: int = 8) -> Latent:
    return latent


"""
RIGHT = """
assert_type(checkpoint.model, Model)
model, encoder, vae = checkpoint
assert_type(vae, Vae)
positive = g(nodes.text_encode)(encoder, text=g.input("prompt", "a star"))
assert_type(positive, Conditioning)
sampled = g(nodes.sample, id="sample")(model, positive, positive, latent, seed=g.input("seed", 7))
assert_type(sampled, Latent)
image = g(nodes.vae_decode)(vae, sampled)
assert_type(image, Image)
g(nodes.image_save)(image, prefix="typed")
g.output("image", image)
assert_type(g(later)(1.0), float)
assert_type(g(nodes.logic_if)(True, g.lazy(image), g.lazy(image)), Image)
assert_type(g(add)(g(parts)(1.0).whole, 2), float)


@g.subgraph
def lighter(s: Graph, item: Image, amount: float = 0.2) -> Image:
    assert_type(item, Image)
    return s(nodes.image_invert)(item)


@g.subgraph(output="state")
def longer(s: Graph, state: float, item: str) -> float:
    return s(add)(state)


class Step(NamedTuple):
    state: float
    again: bool


@g.subgraph
def halve(s: Graph, state: float) -> Step:
    return Step(s(add)(state), s(nodes.logic_compare)(state, 1.0))


assert_type(g(lighter)(image, amount=0.5), Image)
assert_type(g(nodes.logic_for_each)(lighter, items=[image], amount=[0.1, 0.2], mode="product"), list[Image])
assert_type(g(nodes.logic_fold)(longer, items=["a"], initial=1.0), float)
assert_type(g(nodes.logic_repeat)(longer, initial=1.0), float)
assert_type(g(nodes.logic_while)(halve, initial=1.0), float)
assert_type(g(halve)(2.0).again, bool)
assert_type(g(nodes.logic_switch)(1, g.lazy(image), g.lazy(image)), Image)
assert_type(g(nodes.logic_select)("a", a=g.lazy(1.0), otherwise=g.lazy(2.0)), float)
assert_type(g(nodes.list_product)([1, 2], ["a"]).second, list[str])
assert_type(g(nodes.image_join)(image, image), Image)
assert_type(g(nodes.list_make)(image, image), list[Image])
assert_type(g(nodes.list_repeat)(1.5, count=3), list[float])
g(nodes.logic_for_each)("#lighter", items=[image])
"""
WRONG = {
    "g(nodes.image_save)(latent)": '"Latent"; expected "Image"',
    "g(nodes.vae_decode)(vae=checkpoint.model, latent=latent)": '"vae" has incompatible type "Model"',
    "g(nodes.text_encode)(checkpoint.text_encoder, txt='a')": 'Unexpected keyword argument "txt"',
    "g(nodes.vae_decode)(checkpoint.vae)": "Too few arguments",
    "g(nodes.latent_empty)(width='64')": '"width" has incompatible type "str"',
    "checkpoint.unet": 'has no attribute "unet"',
    "g(g.subgraph(shrink))(image)": 'incompatible type "Image"; expected "Latent"',
    "g(g.subgraph(shrink))(latent, size='a')": '"size" has incompatible type "str"',
    "g(nodes.image_batch)(g(nodes.logic_for_each)(g.subgraph(shrink), items=[1]))": (
        'expected "Callable[[Graph, Latent, int], Image]"'
    ),
    "g.subgraph(lambda: 1)": "rgument 1",
    "g(len, id=1)": 'No overload variant of "__call__" of "Graph"',
}


def check(folder: Path, **codes: str) -> list[str]:
    """What mypy says about pieces of code, line by line."""
    for name, code in codes.items():
        (folder / f"{name}.py").write_text(code)
    paths = [str(folder / f"{name}.py") for name in codes]
    arguments = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", *paths]
    report, failure, _ = api.run(arguments)
    assert not failure
    return [line for line in report.splitlines() if "error:" in line]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # mypy finds the packages from there


def test_right_code_passes(tmp_path: Path) -> None:
    assert check(tmp_path, right=HEAD + RIGHT) == []


def test_wrong_code_is_refused(tmp_path: Path) -> None:
    found = check(tmp_path, wrong=HEAD + "\n".join(WRONG))
    first = HEAD.count("\n") + 1
    for line, (code, words) in enumerate(WRONG.items(), first):
        said = [error for error in found if f":{line}: " in error]
        assert any(words in error for error in said), f"{code}: {said}"
    assert {int(error.split(":")[1]) for error in found} == set(range(first, first + len(WRONG)))


def test_exported_workflows_are_typed(tmp_path: Path) -> None:
    registry = load_packs().registry
    codes = {
        name.replace("-", "_"): to_python(load_document(path), registry)
        for name, path in [*registry.templates.items(), ("loop", ROOT / "examples" / "three-prompts.json")]
    }
    assert "body=picture" in codes["loop"]
    assert check(tmp_path, **codes) == []
