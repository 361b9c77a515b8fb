"""Engines with the toy pack and the pack whose results are worth a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.engine import Engine
from tests.execution.work import Work
from tests.toy import Toy, toy_packs

NewEngine = Callable[..., Engine]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def new_engine(toy: Toy, work: Work, tmp_path: Path) -> Iterator[NewEngine]:
    """Engines over one data folder, as processes that follow each other."""
    engines: list[Engine] = []

    def make(**options: Any) -> Engine:
        engines.append(Engine(tmp_path / "data", packs=toy_packs(toy, ("work", work)), **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
