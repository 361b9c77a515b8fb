"""What a run tells of the memory of its nodes: the bytes of results, and the peak of the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from nodegraph import Image, hookimpl, node
from nodegraph.engine import Engine
from nodegraph.execution import events
from nodegraph.hookspecs import Resources, ResourceSettings, TellsPeak
from nodegraph.runtime import Files
from nodegraph_nodes.resources import DiffusionResources
from tests.toy import NoModels, Toy, shown, toy_packs, workflow

PICTURES = 2 * 16 * 16 * 3 * 4  # bytes of float32
SMALL = 1000  # more than a plain number weighs


class Counting(NoModels):
    """Resources of a device that counts what it holds."""

    held = most = 0

    def forget_peak(self) -> None:
        self.most = self.held

    def peak(self) -> int:
        return self.most

    def take(self, size: int) -> None:
        """Hold so much for a moment."""
        self.most = max(self.most, self.held + size)


class Weighing(Toy):
    """The toy pack on a device that counts, with nodes whose results weigh something."""

    def __init__(self) -> None:
        super().__init__()
        self.device = Counting()

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        @node("weighing.grey", lane="device")
        def grey(count: int = 1, needs: int = 0) -> Image:
            self.device.take(needs)
            return Image(torch.full((count, 16, 16, 3), 0.5))

        @node("weighing.look", lane="cpu", cache="volatile")
        def look(image: Image) -> Image:
            self.device.take(10**9)
            return image

        @node("weighing.count", lane="inline")
        def count(image: Image) -> int:
            return len(image.pixels)

        @node("weighing.fail", lane="device")
        def fail(image: Image) -> Image:
            self.device.take(7)
            raise ValueError("no luck")

        return [grey, look, count, fail, *super().register_nodes()]

    @hookimpl
    def make_resources(self, settings: ResourceSettings, files: Files) -> Resources:
        return self.device


GREY = ("weighing.grey", {"count": 2, "needs": 5000})
WORKFLOW = workflow(
    {
        "grey": GREY,
        "look": ("weighing.look", {"image": "@grey"}),
        "count": ("weighing.count", {"image": "@look"}),
    },
    **shown("count"),
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "data", packs=toy_packs(Weighing())) as engine:
        yield engine


def test_every_node_tells_the_bytes_of_its_result(engine: Engine) -> None:
    for outcome in ("ran", "memory"):
        told = engine.run_sync(WORKFLOW).nodes
        assert told["grey"].outcome == outcome
        assert PICTURES <= told["grey"].size < PICTURES + SMALL
        assert PICTURES <= told["look"].size < PICTURES + SMALL  # though nothing keeps it
        assert 0 < told["count"].size < SMALL


def test_what_is_too_large_to_be_kept_is_weighed(tmp_path: Path) -> None:
    with Engine(tmp_path, packs=toy_packs(Weighing()), cache_bytes=SMALL, disk_cache_bytes=0) as engine:
        assert engine.run_sync(WORKFLOW).nodes["grey"].size >= PICTURES


def test_the_peak_is_that_of_the_nodes_of_the_device(engine: Engine) -> None:
    told = engine.run_sync(WORKFLOW).nodes
    assert {id_: one.peak for id_, one in told.items()} == {"grey": 5000, "look": 0, "count": 0}
    assert engine.run_sync(WORKFLOW).nodes["grey"].peak == 0  # it did not run


def test_a_node_that_fails_tells_its_peak(engine: Engine) -> None:
    log: list[events.Event] = []
    failing = workflow({"grey": GREY, "fail": ("weighing.fail", {"image": "@grey"})}, **shown("fail"))
    with pytest.raises(Exception, match="no luck"):
        engine.run_sync(failing, on_event=log.append)
    ended = {event.node: event for event in log if isinstance(event, events.NodeFinished)}
    assert (ended["fail"].outcome, ended["fail"].peak) == ("failed", 7)


def test_the_resources_of_the_built_in_pack_count_where_the_device_does(tmp_path: Path) -> None:
    with Engine(tmp_path, device="cpu") as engine:
        resources = engine.resources
        assert isinstance(resources, DiffusionResources)
        assert isinstance(resources, TellsPeak)
        resources.forget_peak()
        assert resources.peak() == 0
