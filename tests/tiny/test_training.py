"""The trainer's parts: tokenizer, noise, growth, folding, the loop, and the files it writes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import CLIPTokenizer

from nodegraph.diffusion.nets.attention import Attention
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.schedules import scaled_linear_sigmas
from nodegraph_nodes.tiny import checkpoint, folding, stage_unet
from nodegraph_nodes.tiny.captions import SYNONYMS
from nodegraph_nodes.tiny.initial import grown, start_unet, start_vae
from nodegraph_nodes.tiny.loop import Loss, Recipe, train
from nodegraph_nodes.tiny.nets import LATENT_SCALE, UNET, VAE, TextEncoder, smoke_unet
from nodegraph_nodes.tiny.noise import NoiseSampler
from nodegraph_nodes.tiny.parallel import Worker
from nodegraph_nodes.tiny.scenes import COLOURS, SHAPES, Mixture, sample_scene
from nodegraph_nodes.tiny.stage_text import QUESTIONS, TextStage, answers
from nodegraph_nodes.tiny.stage_vae import VaeStage, edge_weight
from nodegraph_nodes.tiny.tokenizer import (
    VOCABULARY_SIZE,
    CaptionTokenizer,
    Vocabulary,
    train_vocabulary,
    training_captions,
)

torch.set_num_threads(1)

PARAGRAPHS = (
    "a red circle on a blue background",
    "It's  a tiny turquoise rhombus, 123 times!",
    "café ♥ ünïcödé 图",
    "",
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return train_vocabulary(training_captions(3000))


def test_the_vocabulary_is_laid_out_as_clips(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == VOCABULARY_SIZE
    assert vocabulary.tokens[-2:] == ("<|startoftext|>", "<|endoftext|>")
    assert Vocabulary.parse(vocabulary.vocab_json(), vocabulary.merges_text()) == vocabulary


def test_every_scene_word_is_one_token(vocabulary: Vocabulary) -> None:
    tokenizer = CaptionTokenizer(vocabulary)
    values = [*COLOURS, *SHAPES, *(word for words in SYNONYMS.values() for word in words)]
    for word in {part for value in values for part in value.split()}:
        assert len(tokenizer.words(word)) == 1, word


def test_the_tokenizer_agrees_with_transformers(vocabulary: Vocabulary, tmp_path: Path) -> None:
    files = tmp_path / "vocab.json", tmp_path / "merges.txt"
    files[0].write_text(vocabulary.vocab_json(), encoding="utf-8")
    files[1].write_text(vocabulary.merges_text(), encoding="utf-8")
    oracle = CLIPTokenizer(*map(str, files))
    tokenizer = CaptionTokenizer(vocabulary)
    for text in PARAGRAPHS:
        assert tokenizer.words(text) == oracle(text).input_ids[1:-1], text
        padded = tokenizer(text)
        assert len(padded) == 77
        assert padded[0] == tokenizer.start
        assert padded[len(tokenizer.words(text)) + 1 :] == [tokenizer.end] * (76 - len(tokenizer.words(text)))


def test_velocity_and_noise_give_the_latents_back() -> None:
    noise = NoiseSampler()
    latents = torch.randn(6, 4, 8, 8)
    noised = noise.at(latents, torch.tensor([0, 100, 400, 700, 950, 999]))
    assert torch.allclose(noise.clean(noised, noised.velocity), latents, atol=1e-5)
    sigmas = noise.noise / noise.signal
    assert torch.allclose(sigmas, scaled_linear_sigmas(), rtol=1e-4)


def test_timesteps_are_stratified_and_favour_the_middle() -> None:
    drawn = torch.cat([NoiseSampler().timesteps(16) for _ in range(200)])
    assert drawn.min() >= 0
    assert drawn.max() <= 999
    thirds = torch.histc(drawn.float(), 3, 0, 999)
    assert thirds[1] > 1.3 * thirds[2]
    one_batch = NoiseSampler().timesteps(1000).sort().values
    assert (one_batch.diff() >= 0).all()
    assert len(set(one_batch.tolist())) > 600


def test_plain_attention_is_attention() -> None:
    layer = Attention(32, 24, 4)
    x, context = torch.randn(2, 9, 32), torch.randn(2, 7, 24)
    assert torch.allclose(stage_unet.attend(layer, x, context), layer(x, context), atol=1e-6)
    unet = UNet(smoke_unet())
    keys = list(unet.state_dict())
    assert list(stage_unet.for_training(unet).state_dict()) == keys


def test_folding_changes_the_latents_and_not_the_pictures() -> None:
    vae = AutoencoderKL(VAE).eval()
    start_vae(vae)
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    matrix = torch.eye(4) * 1.5 + 0.2 * torch.randn(4, 4)
    offset = torch.randn(4)
    with torch.no_grad():
        before = vae.encode(pixels)
        picture = vae.decode(before.mean)
        folding.fold(vae, matrix, offset)
        after = vae.encode(pixels)
        expected = torch.einsum("ij,bjhw->bihw", matrix, before.mean) + offset[:, None, None]
        assert torch.allclose(after.mean, expected, atol=1e-4)
        assert torch.allclose(vae.decode(after.mean), picture, atol=1e-4)
        folding.fold(vae, *folding.normalisation(after.mean))
        scaled = vae.encode(pixels).mean * LATENT_SCALE
    assert torch.allclose(scaled.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(scaled.std((0, 2, 3)), torch.ones(4), atol=0.05)


def test_alignment_finds_a_linear_map() -> None:
    latents = torch.randn(5, 4, 6, 6)
    matrix, offset = torch.randn(4, 4), torch.randn(4)
    wanted = torch.einsum("ij,bjhw->bihw", matrix, latents) + offset[:, None, None]
    found, shift, unexplained = folding.alignment(latents, wanted)
    assert torch.allclose(found, matrix, atol=1e-4)
    assert torch.allclose(shift, offset, atol=1e-4)
    assert unexplained < 1e-8


def test_a_grown_unet_says_what_the_old_one_said() -> None:
    """Exact where no normalisation group straddles a concatenated skip, as in networks this narrow."""
    torch.manual_seed(0)
    narrow = replace(UNET, model_channels=16, channels=(16, 64, 64), time_dim=64)
    wide = replace(UNET, model_channels=32, channels=(32, 64, 64), time_dim=128)
    old = UNet(narrow)
    start_unet(old)
    with torch.no_grad():
        for parameter in old.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    new = grown(old, wide, noise=0.0)
    assert new.config == wide
    x, t, context = torch.randn(2, 4, 16, 16), torch.tensor([20.0, 800.0]), torch.randn(2, 77, 128)
    with torch.no_grad():
        assert torch.allclose(new(x, t, context), old(x, t, context), atol=1e-4)
    with pytest.raises(ValueError, match="cannot grow"):
        grown(new, narrow)


def test_the_text_stage_learns_to_answer(vocabulary: Vocabulary) -> None:
    scene = sample_scene(3, Mixture(two_objects=1.0))
    assert len(answers(scene)) == len(QUESTIONS)
    assert all(
        0 <= right < choices for right, choices in zip(answers(scene), QUESTIONS.values(), strict=True)
    )
    torch.manual_seed(0)
    tokenizer = CaptionTokenizer(vocabulary)
    teacher = (tokenizer, TextEncoder())
    stage = TextStage(TextEncoder(), tokenizer, teacher)
    stage.rng.seed(1)
    optimizer = torch.optim.AdamW(stage.module.parameters(), 1.5e-3)
    losses: list[Loss] = []
    for step in range(12):
        losses.append(stage.loss(step, 0.0))
        optimizer.zero_grad()
        losses[-1].value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[-1].shown["right"] > losses[0].shown["right"] + 0.1
    assert losses[-1].shown["distance"] < losses[0].shown["distance"]


def test_the_vae_stage_makes_batches_of_both_kinds() -> None:
    torch.manual_seed(0)
    vae = AutoencoderKL(VAE)
    start_vae(vae)
    stage = VaeStage(vae)
    stage.rng.seed(2)
    assert stage.batch(whole=True).shape == (2, 3, 128, 128)
    crops = stage.batch(whole=False)
    assert crops.shape == (8, 3, 64, 64)
    weight = edge_weight(crops)
    assert weight.mean().item() == pytest.approx(1.0, abs=1e-5)
    assert weight.max() > 2 * weight.min()
    loss = stage.loss(1, 0.0)
    assert loss.shown["psnr"] > 5


class LineStage:
    """Learns y = 2 x: enough to see the loop work."""

    def __init__(self) -> None:
        self.module: nn.Module = nn.Linear(1, 1)
        self.rng = random.Random()  # noqa: S311 - no secret

    def loss(self, step: int, progress: float) -> Loss:
        x = torch.randn(16, 1)
        error: Tensor = self.module(x) - 2 * x
        return Loss(error.square().mean(), {"progress": progress})


def test_the_loop_learns_saves_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "line.safetensors"
    recipe = Recipe(minutes=0.01, learning_rate=0.05, warm_up=5, average=0.9, report_every=50)
    learned = train(LineStage(), recipe, Worker(), path, "line")
    assert isinstance(learned, nn.Linear)
    assert learned.weight.item() == pytest.approx(2.0, abs=0.1)
    steps = int(checkpoint.read_metadata(path)["step"])
    assert steps > 50
    assert "line: step 50" in capsys.readouterr().out
    train(LineStage(), recipe, Worker(), path, "line")  # its time is over: nothing is left to do
    assert int(checkpoint.read_metadata(path)["step"]) == steps
    longer = Recipe(minutes=0.015, learning_rate=0.05, warm_up=5)
    train(LineStage(), longer, Worker(), path, "line")
    assert int(checkpoint.read_metadata(path)["step"]) > steps


def test_the_learning_rate_warms_up_holds_and_falls() -> None:
    recipe = Recipe(minutes=1, learning_rate=1.0, warm_up=10, hold=0.5, floor=0.1)
    assert recipe.rate(0, 0.0) == pytest.approx(0.1)
    assert recipe.rate(100, 0.4) == 1.0
    assert recipe.rate(100, 0.75) == pytest.approx(0.55)
    assert recipe.rate(100, 1.0) == pytest.approx(0.1)
