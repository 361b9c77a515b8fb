"""Debug mode proves that no node changes what it was given, and names the one that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import BaseModel

from nodegraph import Image, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.errors import NodeFailedError, RunFailedError
from nodegraph.execution.debug import MutationError, digest_of
from nodegraph.packs import load_packs
from nodegraph_nodes.tensors import SafetensorsStore
from tests.toy import shown, workflow


class Careless:
    """A pack of nodes that break the law in every way, and of some that keep it."""

    def __init__(self) -> None:
        self.kept: list[Image] = []

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        @node("careless.grey", lane="inline")
        def grey(level: float = 0.5) -> Image:
            """A grey picture, which the node keeps."""
            image = Image(torch.full((1, 2, 2, 3), level))
            self.kept.append(image)
            return image

        @node("careless.invert")
        def invert(image: Image, other: Image | None = None) -> Image:
            """Invert a picture in place."""
            image.pixels.mul_(-1).add_(1)
            return image

        @node("careless.invert_later")
        async def invert_later(image: Image) -> Image:
            """Invert a picture in place, in the scheduler's loop."""
            image.pixels.mul_(-1).add_(1)
            return image

        @node("careless.replace", lane="inline")
        def replace(image: Image) -> Image:
            """Give a frozen value another tensor."""
            object.__setattr__(image, "pixels", torch.zeros(1, 2, 2, 3))
            return image

        @node("careless.append", lane="inline")
        def append(numbers: list[float]) -> float:
            """Add to the list that it was given."""
            numbers.append(1.0)
            return sum(numbers)

        @node("careless.haunt")
        def haunt(image: Image) -> float:
            """Leave its input alone, and change what another node gave out long ago."""
            self.kept[0].pixels.zero_()
            return 0.0

        @node("careless.mean")
        def mean(image: Image, after: float = 0.0) -> float:
            """The mean of a picture: harmless."""
            return float(image.pixels.mean())

        @node("careless.brighter")
        def brighter(image: Image) -> Image:
            """A new picture: harmless."""
            return Image(image.pixels + 0.1)

        @node("careless.count", lane="inline")
        def count() -> int:
            """A whole number: harmless."""
            return 1

        return [grey, invert, invert_later, replace, append, haunt, mean, brighter, count]


@pytest.fixture
def pack() -> Careless:
    return Careless()


@pytest.fixture
def engine(tmp_path: Path, pack: Careless) -> Iterator[Engine]:
    with Engine(
        tmp_path / "data", device="cpu", debug=True, packs=load_packs(extra=[("careless", pack)])
    ) as made:
        yield made


def failures(engine: Engine, flow: Any) -> dict[str | None, NodeFailedError]:
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(flow)
    return {failure.problem.node: failure for failure in caught.value.failures}


def test_harmless_nodes_pass_and_are_cached(engine: Engine) -> None:
    flow = workflow(
        {
            "grey": ("careless.grey", {}),
            "more": ("careless.brighter", {"image": "@grey"}),
            "mean": ("careless.mean", {"image": "@more"}),
        },
        **shown("mean"),
    )
    assert engine.run_sync(flow).outputs["result"] == pytest.approx(0.6)
    assert engine.run_sync(flow).outcomes("ran") == []


@pytest.mark.parametrize("type_", ["invert", "invert_later", "replace"])
def test_a_node_that_changes_its_input_is_named(engine: Engine, type_: str) -> None:
    flow = workflow(
        {
            "grey": ("careless.grey", {"level": 0.2}),
            "bad": (f"careless.{type_}", {"image": "@grey"}),
            "mean": ("careless.mean", {"image": "@bad"}),
        },
        **shown("mean"),
    )
    found = failures(engine, flow)
    assert list(found) == ["bad"]
    assert isinstance(found["bad"].cause, MutationError)
    assert found["bad"].describe() == (
        "node 'bad', input 'image': it changed its input in place. Others share the value: work on a copy "
        "(tensor.clone(), replace(value, …))."
    )


def test_of_several_inputs_the_changed_one_is_named(engine: Engine) -> None:
    nodes = {
        "one": ("careless.grey", {"level": 0.1}),
        "two": ("careless.grey", {"level": 0.2}),
        "bad": ("careless.invert", {"other": "@one", "image": "@two"}),
    }
    found = failures(engine, workflow(nodes, **shown("bad")))
    assert found["bad"].problem.input == "image"
    assert (
        engine.cache.get(engine.plan(workflow(nodes), targets=["one"]).entries["one"].key or "") is not None
    )


def test_a_written_list_may_not_be_changed_either(engine: Engine) -> None:
    flow = workflow({"bad": ("careless.append", {"numbers": [1, 2]})}, **shown("bad"))
    assert failures(engine, flow)["bad"].problem.input == "numbers"


def test_the_spoilt_result_reaches_nobody_and_is_made_again(engine: Engine) -> None:
    nodes = {
        "grey": ("careless.grey", {"level": 0.2}),
        "bad": ("careless.invert", {"image": "@grey"}),
    }
    failures(engine, workflow(nodes, **shown("bad")))
    good = workflow({"grey": nodes["grey"], "mean": ("careless.mean", {"image": "@grey"})}, **shown("mean"))
    result = engine.run_sync(good)
    assert result.outputs["result"] == pytest.approx(0.2)
    assert result.outcomes("ran") == ["grey", "mean"]


def test_who_reads_after_the_culprit_is_told_who_it_was(engine: Engine) -> None:
    nodes = {
        "grey": ("careless.grey", {"level": 0.2}),
        "bad": ("careless.replace", {"image": "@grey"}),
        "mean": ("careless.mean", {"image": "@grey"}),
    }
    with pytest.raises(RunFailedError) as caught:
        engine.run_sync(workflow(nodes), targets=["bad", "mean"])
    assert [failure.problem.node for failure in caught.value.failures] == ["bad", "mean"]
    assert "was changed after it was made, by node 'bad'" in caught.value.failures[1].describe()


def test_a_result_that_its_maker_changes_later_is_caught_where_it_is_read(engine: Engine) -> None:
    nodes = {
        "grey": ("careless.grey", {"level": 0.2}),
        "copy": ("careless.brighter", {"image": "@grey"}),
        "ghost": ("careless.haunt", {"image": "@copy"}),
        "mean": ("careless.mean", {"image": "@grey", "after": "@ghost"}),
    }
    found = failures(engine, workflow(nodes, **shown("mean")))
    assert list(found) == ["mean"]
    assert "by the node that made it, or by whoever got it" in found["mean"].describe()


def test_a_cached_result_that_was_changed_is_not_reused(engine: Engine) -> None:
    flow = workflow({"grey": ("careless.grey", {"level": 0.2})}, **shown("grey"))
    engine.run_sync(flow).outputs["result"].pixels.zero_()
    with pytest.raises(MutationError, match="was changed after it was made"):
        engine.run_sync(flow)
    assert float(engine.run_sync(flow).outputs["result"].pixels.mean()) == pytest.approx(0.2)


def test_numbers_that_are_converted_are_no_change(engine: Engine) -> None:
    nodes = {
        "grey": ("careless.grey", {}),
        "count": ("careless.count", {}),
        "mean": ("careless.mean", {"image": "@grey", "after": "@count"}),
    }
    assert engine.run_sync(workflow(nodes, **shown("mean"))).outputs["result"] == 0.5


def test_debug_leaves_the_disk_alone(engine: Engine, tmp_path: Path) -> None:
    assert engine.disk is None
    engine.run_sync("template:text-to-image", steps=1)
    assert not (tmp_path / "data" / "cache").exists()


class Knob(BaseModel):
    level: float = 0.0
    names: list[str] = []


@dataclass(frozen=True)
class Pair:
    left: Any
    right: Any


def test_digests_tell_values_apart_and_equal_ones_not() -> None:
    def digest(value: object) -> str:
        return digest_of(value, SafetensorsStore)

    distinct: list[object] = [
        None, True, 1, 1.0, "1", [1], (1,), [[1]], [1, 2], [2, 1], {"a": 1}, {"a": 2}, {"b": 1}, {1}, {1, 2},
        Pair(1, 2), Pair(2, 1), Pair([1], 2), Knob(), Knob(level=1.0), Knob(names=["x"]),
        torch.zeros(2), torch.ones(2), torch.zeros(2, 1), torch.zeros(2).half(), torch.zeros(2).bfloat16(),
        torch.tensor(-0.0), torch.tensor(0.0), [torch.zeros(2)], torch.zeros(0, 3), torch.zeros(0, 4),
    ]  # fmt: skip
    assert len({digest(value) for value in distinct}) == len(distinct)
    assert digest(torch.arange(6.0).view(2, 3)) == digest(torch.arange(6.0).view(3, 2).t().t().reshape(2, 3))
    assert digest({1, 2, 3}) == digest({3, 2, 1})
    assert digest(object()) == digest(object()), "it cannot be looked into"
