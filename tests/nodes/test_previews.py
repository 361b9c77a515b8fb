"""Previews of the sampler: they look like the picture, change nothing, and cost nothing unless watched."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import nodegraph_nodes
from nodegraph import Context, Engine, File, Image, hookimpl, node
from nodegraph.diffusion.sampling import sample
from nodegraph.execution import events
from nodegraph.execution.context import MAX_PREVIEWS
from nodegraph.execution.results import RunResult
from nodegraph.packs import load_packs
from nodegraph.values import Conditioning, ConditioningEntry, Latent, Model
from nodegraph_nodes.sampling.choices import SAMPLER_HELP

TEMPLATE = "template:text-to-image"
PACK = Path(nodegraph_nodes.__file__).parent
TINY = PACK / "models" / "checkpoints" / "tiny.safetensors"


@node("test.bare_model", lane="io")
def bare_model(ctx: Context, file: Annotated[str, File("checkpoints")]) -> Model:
    """The denoiser of a file that may hold nothing else."""
    return Model(ctx.files.get("checkpoints", file), "sd1")


class BareModel:
    """A pack with that node."""

    @hookimpl
    def register_nodes(self) -> Sequence[object]:
        return [bare_model]


def watched(engine: Engine, source: Any = TEMPLATE, **inputs: Any) -> tuple[RunResult, list[events.Event]]:
    log: list[events.Event] = []
    return engine.run_sync(source, on_event=log.append, previews=True, **inputs), log


def drawn(log: list[events.Event]) -> list[Tensor]:
    return [event.image.pixels for event in log if isinstance(event, events.NodePreview)]


def picture(result: RunResult) -> Tensor:
    image = result.outputs["image"]
    assert isinstance(image, Image)
    return image.pixels


def likeness(preview: Tensor, pixels: Tensor) -> float:
    """Pearson's correlation of a preview with a picture of the same size in cells."""
    cells = functional.avg_pool2d(pixels.permute(0, 3, 1, 2), 8).permute(0, 2, 3, 1)
    return float(torch.corrcoef(torch.stack([preview.flatten(), cells.flatten()]))[0, 1])


def test_the_last_preview_looks_like_the_picture(engine: Engine) -> None:
    """A correlation above 0.9; a linear map fitted to the pictures themselves comes to 0.94 and more."""
    prompts = ("a red circle on a blue background", "a cyan ring on a black background", "a blue star")
    previews, pictures = [], []
    for prompt in prompts:
        result, log = watched(engine, prompt=prompt)
        previews.append(drawn(log)[-1])
        pictures.append(picture(result))
    for index, preview in enumerate(previews):
        alike = [likeness(preview, pixels) for pixels in pictures]
        assert alike[index] > 0.9
        assert alike[index] == max(alike)  # and less like the others


def test_every_step_is_drawn_after_its_progress(engine: Engine) -> None:
    _, log = watched(engine, steps=6)
    steps = [event for event in log if isinstance(event, events.NodeProgress | events.NodePreview)]
    assert [type(event).__name__ for event in steps] == ["NodeProgress", "NodePreview"] * 6
    assert {event.node for event in steps} == {"sample"}
    assert all(pixels.shape == (1, 16, 16, 3) for pixels in drawn(log))
    assert all(0 <= float(pixels.min()) <= float(pixels.max()) <= 1 for pixels in drawn(log))


def test_many_steps_share_a_few_previews_the_last_among_them(engine: Engine) -> None:
    result, log = watched(engine, steps=2 * MAX_PREVIEWS + 1, width=16, height=16)
    assert result.outcomes("ran")
    assert len(drawn(log)) <= MAX_PREVIEWS
    last = next(index for index, event in enumerate(log) if event == events.NodeProgress("sample", 101, 101))
    assert isinstance(log[last + 1], events.NodePreview)


@pytest.mark.parametrize("sampler", SAMPLER_HELP)
def test_results_are_the_same_bits_with_and_without_previews(tmp_path: Path, sampler: str) -> None:
    pictures = []
    for previews in (False, True):
        with Engine(tmp_path / f"{previews}", device="cpu", dtype="float32") as engine:
            made = engine.run_sync(TEMPLATE, previews=previews, sampler=sampler, steps=3, width=64, height=64)
            assert "sample" in made.outcomes("ran")
            pictures.append(picture(made))
    assert torch.equal(*pictures)


def test_nothing_is_drawn_or_fitted_where_nobody_watches(engine: Engine) -> None:
    log: list[events.Event] = []
    engine.run_sync(TEMPLATE, on_event=log.append, steps=2)
    counters = engine.resources.models.counters()
    assert (counters["preview_fits"], counters["previews"]) == (0, 0)
    assert drawn(log) == []


def test_the_map_is_fitted_once_for_a_file(engine: Engine) -> None:
    for seed in (1, 2):
        watched(engine, steps=2, seed=seed)
    counters = engine.resources.models.counters()
    assert (counters["preview_fits"], counters["previews"]) == (1, 4)
    assert counters["file_reads"] == 3  # denoiser, text encoder, and the autoencoder that decodes too


def test_an_image_in_a_batch_has_its_place_in_the_preview(engine: Engine) -> None:
    _, log = watched(engine, steps=2, batch=3, width=64, height=32)
    assert [pixels.shape for pixels in drawn(log)] == [(3, 4, 8, 3)] * 2


def test_a_file_without_an_autoencoder_is_sampled_without_previews(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "no-vae.safetensors"
    save_file({name: value for name, value in load_file(TINY).items() if "first_stage" not in name}, path)
    packs = load_packs(extra=[("test", BareModel())])
    flow = json.loads((PACK / "workflows" / "text-to-image.json").read_text())
    flow["nodes"]["bare"] = {"type": "test.bare_model", "inputs": {"file": str(path)}}
    flow["nodes"]["sample"]["inputs"] |= {"model": {"from": "bare"}, "steps": 2}
    with (
        Engine(tmp_path / "data", device="cpu", packs=packs) as bare,
        caplog.at_level(logging.INFO, "nodegraph"),
    ):
        result, log = watched(bare, flow)
    assert "sample" in result.outcomes("ran")
    assert drawn(log) == []
    assert [record.name for record in caplog.records if "no previews" in record.message] == [
        "nodegraph.node.sample"
    ]


def test_previews_cost_less_than_two_per_cent_of_sampling(engine: Engine) -> None:
    """Multiplications of matrices, counted: 20 steps of the smallest model, and the one fit for its file."""
    store = engine.resources.models
    model = Model(engine.files.get("checkpoints", "tiny.safetensors"), "sd1")
    tokens = Conditioning((ConditioningEntry(torch.zeros(1, 77, 128)),))
    registry = engine.registry
    with FlopCounterMode(display=False) as preparing:
        draw = store.previewer(model)
    assert draw is not None
    with store.use(model) as denoiser, FlopCounterMode(display=False) as sampling:
        latent = sample(
            denoiser, tokens, tokens, Latent(torch.zeros(1, 4, 16, 16)), seed=0, steps=20, cfg=4.0,
            sampler=registry.choice("samplers", "euler"),
            scheduler=registry.choice("schedulers", "normal"),
        )  # fmt: skip
    with FlopCounterMode(display=False) as drawing:
        draw(latent.samples)
    spent = preparing.get_total_flops() + 20 * drawing.get_total_flops()
    assert 0 < spent < 0.02 * sampling.get_total_flops()


def test_a_finished_picture_is_shown_whether_previews_are_wanted_or_not(engine: Engine) -> None:
    document = {
        "nodegraph": 1,
        "nodes": {
            "load": {"type": "image.load", "inputs": {"file": "example.png"}},
            "show": {"type": "image.preview", "inputs": {"image": {"from": "load.image"}}},
        },
        "outputs": {"image": {"from": "load.image"}},
    }
    for _ in range(2):  # in the second run the picture comes from the cache, and is shown again
        log: list[events.Event] = []
        result = engine.run_sync(document, on_event=log.append)
        (shown,) = [event for event in log if isinstance(event, events.NodeShown)]
        assert shown.node == "show"
        assert torch.equal(shown.image.pixels, picture(result))
        kinds = [type(event).__name__ for event in log]
        assert kinds.index("NodeShown") < kinds.index("RunFinished")


def test_previews_come_from_inside_a_loop_under_their_path(engine: Engine) -> None:
    document = Path(__file__).parents[2] / "examples" / "three-prompts.json"
    prompts = ["a red circle on a blue background", "a blue star"]
    _, log = watched(engine, document, prompts=prompts)
    nodes = {event.node for event in log if isinstance(event, events.NodePreview)}
    assert len(nodes) == 2
    assert all(node.endswith("/sample") for node in nodes)
