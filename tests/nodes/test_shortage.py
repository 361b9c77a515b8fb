"""Memory runs out inside a node: room is made, it runs again taking less, and then says what is missing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nodegraph import Engine
from nodegraph.diffusion import autoencoder, sampling
from nodegraph.diffusion.relief import is_shortage, shortage_of
from nodegraph.errors import RunFailedError
from nodegraph.execution.results import RunResult

OUT = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 8 GiB"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path, device="cpu", disk_cache_bytes=0) as made:
        yield made


def run(engine: Engine, *, batch: int = 2) -> RunResult:
    document = engine.load("template:text-to-image")
    document = document.with_values({("latent", "batch"): batch})
    return engine.run_sync(document, targets=["image"], seed=5, steps=4)


def fail_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, times: int = 1) -> list[Any]:
    """Let a function run out of memory for the first times; what it was called with."""
    real, calls = getattr(where, name), []

    def sometimes(*arguments: Any, **named: Any) -> Any:
        calls.append((arguments, named))
        if len(calls) <= times:
            raise OUT
        return real(*arguments, **named)

    monkeypatch.setattr(where, name, sometimes)
    return calls


def test_a_batch_that_does_not_fit_is_sampled_picture_by_picture(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = run(engine).outputs["image"].pixels
    engine.cache.clear()
    calls = fail_once(monkeypatch, sampling, "sample")
    with caplog.at_level(logging.WARNING):
        found = run(engine).outputs["image"].pixels
    assert [named[0][3].samples.shape[0] for named in calls] == [2, 1, 1]
    assert torch.allclose(found, wanted, atol=2e-3)
    assert "2.50 GiB at once" in caplog.text


def test_decoding_falls_back_to_tiles(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = fail_once(monkeypatch, autoencoder.LiveAutoencoder, "decode")
    with caplog.at_level(logging.WARNING):
        run(engine, batch=1)
    assert [arguments[2] is None for arguments, _ in calls] == [True, False]


def test_what_never_fits_says_what_is_wanted_and_what_is_free(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_once(monkeypatch, sampling, "sample", times=99)
    with pytest.raises(RunFailedError) as caught:
        run(engine)
    problem = caught.value.failures[0].problem
    assert (problem.code, problem.node) == ("out_of_memory", "sample")
    assert "2.50 GiB" in (problem.expected or "")
    assert "free" in (problem.found or "")


def test_idle_weights_are_let_go_and_loaded_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run(engine)
    store: Any = engine.resources.models
    before = store.counters()
    fail_once(monkeypatch, autoencoder.LiveAutoencoder, "decode")
    engine.cache.clear()
    run(engine)
    assert store.counters()["evictions"] > before["evictions"]


def test_a_real_failed_allocation_is_known() -> None:
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        torch.empty(2**46)
    assert is_shortage(caught.value)
    told = shortage_of(caught.value, torch.device("cpu"), 7)
    assert (told.where, told.wanted, told.freed) == ("main memory", 2**48, 7)
    assert told.free > 0
    assert is_shortage(MemoryError())
    assert not is_shortage(RuntimeError("shapes do not fit"))
