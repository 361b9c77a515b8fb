"""An engine with the built-in pack and a fresh data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Small budgets, the CPU, float32: what every machine can do alike."""
    with Engine(tmp_path / "data", device="cpu", dtype="float32") as made:
        yield made
