"""Values in words and as pictures."""

from __future__ import annotations

import pytest
import torch

from nodegraph import Conditioning, Engine, Image, Latent, Mask, Sigmas
from nodegraph.execution.events import Event, NodeShown
from nodegraph.values import ConditioningEntry, Noise, Sampler
from nodegraph_nodes.inspection.pictures import LARGEST, components, picture_of
from nodegraph_nodes.inspection.words import MOST, words_of


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Image(torch.full((2, 4, 8, 3), 0.5)), ["2 pictures, 8 × 4, RGB", "0.5 to 0.5, mean 0.5"]),
        (Mask(torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])), ["1 mask, 2 × 2", "25.0% of the area counts"]),
        (Latent(torch.zeros(1, 4, 16, 24)), ["4 × 16 × 24", "a picture of 192 × 128", "format sd1"]),
        (Latent(torch.full((1, 4, 2, 2), torch.nan)), ["16 values are no numbers"]),
        (Sigmas(torch.tensor([14.6, 1.0, 0.0])), ["2 steps, from 14.6 to 0", "14.6, 1, 0"]),
        (
            Conditioning((ConditioningEntry(torch.zeros(1, 77, 64), strength=0.5),)),
            ["1 prompt", "77 tokens × 64", "strength 0.5"],
        ),
        (Sampler.of("euler_ancestral", eta=0.5), ["euler_ancestral", "eta 0.5"]),
        (Noise(2**64 - 1, initial=False), ["seed 18446744073709551615", "no noise at the start"]),
        ("a red circle", ["12 letters, 3 words", "a red circle"]),
        (True, ["true"]),
        (2**63, ["9223372036854775808"]),
        (None, ["nothing"]),
        ([1, "two"], ["list of 2", "1: 1", "2: 3 letters"]),
        (list(range(MOST + 3)), ["and 3 more"]),
    ],
)
def test_a_value_is_told_in_words(value: object, told: list[str]) -> None:
    words = "\n".join(words_of(value))
    for part in told:
        assert part in words


def test_pictures_are_small_and_show_what_differs() -> None:
    samples = torch.zeros(1, 4, 8, 8)
    samples[..., 4:] = 1.0  # the right half differs from the left one
    shown = picture_of(Latent(samples))
    assert shown is not None
    assert shown.size == (256, 256)
    left, right = shown.pixels[0, 0, 0], shown.pixels[0, 0, -1]
    assert (left - right).abs().max() > 0.9
    large = picture_of(Image(torch.rand(1, 2 * LARGEST, LARGEST, 3)))
    assert large is not None
    assert large.size == (LARGEST // 2, LARGEST)
    batch = picture_of(Mask(torch.ones(4, 10, 10)))
    assert batch is not None
    assert batch.size == (24, 24)  # two rows of two, with a gap
    assert picture_of("text") is None
    assert picture_of(Image(torch.zeros(0, 4, 4, 3))) is None


def test_a_latent_of_one_channel_has_a_picture() -> None:
    colours = components(torch.arange(4.0).reshape(1, 1, 2, 2))
    assert colours.shape == (1, 2, 2, 3)
    assert (colours[..., 1:] == 0.5).all()


def test_the_node_shows_a_latent_in_the_colours_of_its_model(engine: Engine) -> None:
    nodes = {
        "loader": {"type": "load.checkpoint", "inputs": {"file": "tiny.safetensors"}},
        "latent": {"type": "latent.empty", "inputs": {"width": 64, "height": 64}},
        "look": {
            "type": "value.inspect",
            "inputs": {"value": {"from": "latent"}, "model": {"from": "loader.model"}},
        },
    }
    log: list[Event] = []
    workflow = {"nodegraph": 1, "nodes": nodes, "outputs": {"words": {"from": "look"}}}
    result = engine.run_sync(workflow, on_event=log.append)
    assert "a picture of 64 × 64" in result.outputs["words"]
    (shown,) = [event for event in log if isinstance(event, NodeShown)]
    assert shown.image.size == (256, 256)
    assert shown.image.pixels.std(dim=(1, 2)).max() < 0.01  # zeros are one colour, which the model tells
