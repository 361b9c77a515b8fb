"""The templates from end to end with the embedded model: counters, bits, meaning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from nodegraph import Engine, Image
from nodegraph.execution.events import Event, NodeProgress
from nodegraph.execution.results import RunResult
from nodegraph_nodes.sampling.choices import SAMPLER_HELP

TEMPLATES = ("text-to-image", "image-to-image", "inpaint", "lora")
QUICK: dict[str, Any] = {"steps": 4}


def run(engine: Engine, template: str = "text-to-image", **inputs: Any) -> RunResult:
    return engine.run_sync(f"template:{template}", **inputs)


def pixels(result: RunResult) -> torch.Tensor:
    image = result.outputs["image"]
    assert isinstance(image, Image)
    return image.pixels


def counters(engine: Engine) -> Mapping[str, int]:
    return dict(engine.resources.models.counters())


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_runs_and_saves(engine: Engine, template: str) -> None:
    result = run(engine, template, **QUICK)
    assert pixels(result).shape == (1, 128, 128, 3)
    assert [artifact.path.suffix for artifact in result.artifacts] == [".png"]


def test_same_graph_twice_runs_nothing(engine: Engine) -> None:
    first = run(engine, **QUICK)
    before = counters(engine)
    second = run(engine, **QUICK)
    assert second.outcomes("ran") == []
    assert counters(engine) == before
    assert torch.equal(pixels(first), pixels(second))
    assert second.artifacts == first.artifacts  # a cached run still lists what it saved


def test_new_seed_runs_sample_decode_save_and_loads_nothing(engine: Engine) -> None:
    run(engine, seed=1, **QUICK)
    before = counters(engine)
    second = run(engine, seed=2, **QUICK)
    assert second.outcomes("ran") == ["sample", "decode", "save"]
    after = counters(engine)
    assert {name: after[name] - before[name] for name in ("file_reads", "builds")} == {
        "file_reads": 0,
        "builds": 0,
    }
    assert second.plan.entries["sample"].reason == "changed: seed"


def test_new_prompt_does_not_read_the_checkpoint_again(engine: Engine) -> None:
    run(engine, prompt="a red circle", **QUICK)
    before = counters(engine)
    second = run(engine, prompt="a blue square", **QUICK)
    assert sorted(second.outcomes("ran")) == ["decode", "positive", "sample", "save"]
    assert counters(engine)["file_reads"] == before["file_reads"]


def test_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    results = []
    for name in ("first", "second"):
        with Engine(tmp_path / name, device="cpu") as engine:
            results.append(pixels(run(engine, seed=11, **QUICK)))
    assert torch.equal(results[0], results[1])


STEPS = {"dpm_2_ancestral": 12}
"""Long steps to a tiny level magnify the rounding that differs with the size of the batch."""


@pytest.mark.parametrize("sampler", SAMPLER_HELP)
def test_image_of_a_batch_equals_the_image_alone(engine: Engine, sampler: str) -> None:
    document = engine.load("template:text-to-image").with_values(
        {("latent", "batch"): 3, ("sample", "sampler"): sampler, ("sample", "steps"): STEPS.get(sampler, 4)}
    )
    picked = document.to_json()
    picked["nodes"]["third"] = {
        "type": "latent.from_batch",
        "inputs": {"latent": {"from": "latent"}, "index": 2},
    }
    picked["nodes"]["sample"]["inputs"]["latent"] = {"from": "third"}
    batch, alone = pixels(engine.run_sync(document)), pixels(engine.run_sync(picked))
    assert alone.shape[0] == 1
    torch.testing.assert_close(batch[2:], alone, rtol=0, atol=1e-4)


def test_lora_of_strength_0_is_the_base_bit_by_bit(engine: Engine) -> None:
    prompt = "a red circle on a blue background"
    base = pixels(run(engine, prompt=prompt, seed=3, **QUICK))
    full = pixels(run(engine, "lora", prompt=prompt, seed=3, **QUICK))
    off = pixels(run(engine, "lora", prompt=prompt, seed=3, strength=0.0, **QUICK))
    removed = pixels(run(engine, prompt=prompt, seed=3, **QUICK))
    assert not torch.allclose(base, full, atol=1e-2)
    assert torch.equal(base, off)
    assert torch.equal(base, removed)


def test_picture_has_the_colours_of_its_prompt(engine: Engine) -> None:
    made = pixels(run(engine, prompt="a large green square on a yellow background", seed=3))[0]
    corner, centre = made[:8, :8].mean((0, 1)), made[60:68, 60:68].mean((0, 1))
    red, green, blue = corner.tolist()
    assert min(red, green) > 0.7, f"the background is not yellow: {corner}"
    assert blue < 0.4, f"the background is not yellow: {corner}"
    red, green, blue = centre.tolist()
    assert green > 1.5 * max(red, blue), f"the square is not green: {centre}"


def test_inpainting_keeps_the_rest(engine: Engine) -> None:
    box: dict[str, Any] = {"left": 64, "top": 0, "right": 128, "bottom": 128}
    red = run(engine, "inpaint", prompt="a yellow star", seed=1, **box, **QUICK)
    latents = [red.plan.entries[id_].key for id_ in ("encode", "sample")]
    original, repainted = (engine.cache.get(key or "") for key in latents)
    assert original is not None
    assert repainted is not None
    kept = [values["latent"].samples[..., :8] for values in (original, repainted)]
    changed = [values["latent"].samples[..., 8:] for values in (original, repainted)]
    assert torch.equal(kept[0], kept[1])
    assert not torch.allclose(changed[0], changed[1], atol=1e-2)


def test_random_seed_is_drawn_once_and_recorded(engine: Engine) -> None:
    result = run(engine, seed="random", **QUICK)
    drawn = result.record.inputs["seed"]
    assert isinstance(drawn, int)
    again = run(engine, seed=drawn, **QUICK)
    assert torch.equal(pixels(result), pixels(again))


def test_sampler_reports_every_step(engine: Engine) -> None:
    seen: list[Event] = []
    engine.run_sync("template:text-to-image", on_event=seen.append, steps=3)
    steps = [(event.done, event.total) for event in seen if isinstance(event, NodeProgress)]
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_denoise_0_gives_the_picture_back(engine: Engine) -> None:
    made = run(engine, "image-to-image", denoise=0.0, **QUICK)
    assert "sample" in made.outcomes("ran")
    latents = [engine.cache.get(made.plan.entries[id_].key or "") for id_ in ("encode", "sample")]
    assert latents[0] is not None
    assert latents[1] is not None
    assert torch.equal(latents[0]["latent"].samples, latents[1]["latent"].samples)
