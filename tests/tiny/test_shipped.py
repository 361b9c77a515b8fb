"""The shipped model knows what words mean: a slice of the held-out score that a half-trained model fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import nodegraph_nodes
from nodegraph.modelfiles.families import inspect
from nodegraph.modelfiles.loras import match_lora
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph_nodes.tiny import heldout, lora, weights
from nodegraph_nodes.tiny.paint import Painter
from nodegraph_nodes.tiny.results import score

torch.set_num_threads(1)

MODELS = Path(nodegraph_nodes.__file__).with_name("models")
TINY = MODELS / "checkpoints" / "tiny.safetensors"
NEON = MODELS / "loras" / "tiny-neon.safetensors"


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(weights.load_model(TINY))


def test_the_files_are_small_and_complete() -> None:
    assert TINY.stat().st_size <= 25_000_000
    assert NEON.stat().st_size <= 1_000_000
    found = inspect(read_header(TINY))
    assert found.components == ("denoiser", "clip_l", "vae")
    assert found.prediction == "v"
    assert found.has_tokenizer


def test_a_slice_of_the_held_out_score(painter: Painter) -> None:
    """24 single objects and 8 pairs. A half-trained model misses these bounds.

    The one before this, with 92 % of shapes and 57 % of pairs right, did.
    """
    prompts = heldout.load()
    result = score(painter, prompts.single[:24], prompts.pairs[:8])
    print(result.text())
    assert result.single["background"].right >= 23
    assert result.single["colour"].right >= 22
    assert result.single["position"].right >= 22
    assert result.single["shape"].right >= 22
    assert result.pairs["colours"].right >= 7
    assert result.pairs["shapes"].right >= 7
    assert result.seconds_per_picture < 3.0


def test_the_style_fits_the_model_and_darkens_the_picture() -> None:
    model = weights.load_model(TINY)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.unet.state_dict().items()}
    match = match_lora(read_header(NEON), {"denoiser": shapes})
    assert not match.unmatched
    painter = Painter(model)
    text = "neon a large red circle on a white background"
    plain = painter.paint(text, 3)
    layers = lora.attach(model.unet)
    lora.load(layers, model.unet, NEON)
    styled = painter.paint(text, 3)
    assert styled.mean() < 0.6 * plain.mean()
