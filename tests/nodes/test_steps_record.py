"""The run record says how denoisers were asked to be made faster, how their steps ran, and why."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from nodegraph import Engine
from nodegraph.errors import InputError
from nodegraph.graph.embedding import read_record

ON_A_CPU = "eager: steps can be captured on CUDA devices only"


def test_a_saved_picture_tells_how_its_steps_ran_and_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.INFO, "nodegraph.node"),
        Engine(tmp_path, device="cpu", dtype="float32", accelerate="graphs") as engine,
    ):
        result = engine.run_sync("template:text-to-image", steps=3)
        run = read_record(result.artifacts[0].path)["run"]
        assert run["accelerate"] == "graphs"
        assert run["steps"] == {"sample": {ON_A_CPU: 3}}
        assert f"steps: 3 {ON_A_CPU}" in caplog.messages
        again = engine.run_sync("template:text-to-image", steps=3, prompt=result.record.inputs["prompt"],
                                seed=result.record.inputs["seed"])  # fmt: skip
        assert again.outcomes("ran") == []
        assert "steps" not in again.record.run
        other = engine.run_sync("template:text-to-image", steps=2, seed=8)
        assert other.record.run["steps"] == {"sample": {ON_A_CPU: 2}}


def test_nothing_is_told_where_nothing_was_asked(engine: Engine) -> None:
    run = engine.run_sync("template:text-to-image", steps=1).record.run
    assert "accelerate" not in run
    assert "steps" not in run


def test_captured_steps_share_results_with_eager_ones_and_channels_last_does_not(tmp_path: Path) -> None:
    keys = {}
    for names in ("off", "graphs", "channels-last"):
        with Engine(tmp_path / names, device="cpu", dtype="float32", accelerate=names) as engine:
            result = engine.run_sync("template:text-to-image", steps=1, seed=1)
            keys[names] = result.key("sample")
    assert keys["off"] == keys["graphs"] != keys["channels-last"]


def test_an_engine_refuses_an_unknown_acceleration_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="off, or some of compile, graphs, channels-last"):
        Engine(tmp_path, accelerate="turbo")


@pytest.mark.gpu
def test_a_gpu_captures_one_step_for_all_runs(tmp_path: Path) -> None:
    with Engine(tmp_path / "a", device="cuda", dtype="float32", accelerate="graphs") as engine:
        results = [engine.run_sync("template:text-to-image", steps=4, seed=seed) for seed in (1, 2)]
        counters = engine.resources.models.counters()
    with Engine(tmp_path / "b", device="cuda", dtype="float32") as usual:
        for seed, result in zip((1, 2), results, strict=True):
            expected = usual.run_sync("template:text-to-image", steps=4, seed=seed).outputs["image"].pixels
            assert result.record.run["steps"] == {"sample": {"replayed": 4}}
            assert torch.allclose(result.outputs["image"].pixels.cpu(), expected.cpu(), atol=1e-3)
    assert (counters["captures"], counters["eager_steps"]) == (1, 0)
