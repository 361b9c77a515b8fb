"""What all tests share: the toy engine, repeatable property tests, and which tests run where."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from nodegraph.engine import Engine
from tests.toy import Toy, toy_packs

# Repeatable: a red run is red again. No deadline: the machine may be busy, and tests never measure time.
settings.register_profile(
    "nodegraph",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("nodegraph")

MakeEngine = Callable[..., Engine]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long suites too")
    parser.addoption(
        "--slow-browser", type=float, default=1, metavar="N",
        help="let the browser compute N times slower: finds what is in a hurry, in tests and editor",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long suites unless they are asked for, and skip what this machine is not for."""
    _leave_out_weights(config, items)
    if not config.getoption("--full"):
        long = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    for item in items:
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="there is no CUDA GPU"))


def _leave_out_weights(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files of gigabytes are made for `-m weights` only."""
    if "weights" not in str(config.getoption("markexpr")):
        large = [item for item in items if item.get_closest_marker("weights")]
        config.hook.pytest_deselected(items=large)
        items[:] = [item for item in items if item not in large]


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(scope="module", autouse=True)
def give_memory_back() -> Iterator[None]:
    """After every module: the C library keeps what small networks freed, gigabytes in the end."""
    yield
    gc.collect()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.fixture
def toy() -> Toy:
    """The toy pack, with counters of its own."""
    return Toy()


@pytest.fixture
def make_engine(toy: Toy, tmp_path: Path) -> Iterator[MakeEngine]:
    """Engines that know the toy pack alone and share one data folder; closed after the test."""
    engines: list[Engine] = []

    def make(**options: object) -> Engine:
        options.setdefault("disk_cache_bytes", 0)  # a slow machine would find more results worth a file
        engine = Engine(tmp_path / "data", packs=toy_packs(toy), **options)  # type: ignore[arg-type]
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """One engine that knows the toy pack alone, with a fresh data folder."""
    return make_engine()
