"""Accelerated steps: the same results, captured and compiled once whatever LoRA, strength or seed comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.acceleration.attach import Accelerator
from nodegraph.diffusion.acceleration.captured import Recording
from nodegraph.diffusion.guidance.weaken import network_of, self_attention_as_identity
from nodegraph.diffusion.store import Store
from nodegraph.errors import InputError
from nodegraph.values import Model, Patch
from tests.diffusion.small_models import Folder

WriteLora = Callable[..., Path]
STEM = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
OTHER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
CPU = torch.device("cpu")
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


class FakeRecording:
    """Computes again into the same memory, as a CUDA graph does."""

    def __init__(self, work: Callable[[], Tensor]) -> None:
        self._work = work
        self.result = work().clone()
        self.bytes = self.result.nbytes

    def replay(self) -> None:
        self.result.copy_(self._work())


class FakeRecorder:
    """Stands for a device that can capture; `fails` says why it cannot."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails

    def record(self, work: Callable[[], Tensor]) -> Recording:
        if self.fails:
            raise RuntimeError(self.fails)
        return FakeRecording(work)


def graphs_on_cpu(folder: Folder, recorder: FakeRecorder | None = None, budget: int | None = None) -> Store:
    accelerator = Accelerator("graphs", CPU, recorder or FakeRecorder())
    return Store(folder, "cpu", budget_bytes=budget, accelerate=accelerator)


def step(store: Store, model: Model, seed: int = 0, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x, tokens = (
        torch.randn(shape, generator=generator).to(store.device)
        for shape in ((batch, 4, 8, 8), (batch, 77, 32))
    )
    with store.use(model) as live:
        return live.denoise(x, torch.full((batch,), 2.0, device=store.device), tokens).cpu()


def counts(store: Store, *names: str) -> tuple[int, ...]:
    counters = store.counters()
    return tuple(counters[name] for name in names)


@pytest.fixture
def loras(folder: Folder, write_lora: WriteLora) -> Callable[..., Patch]:
    def patch(stem: str = STEM, strength: float = 1.0) -> Patch:
        path = write_lora({stem: (64, 64, None)}, f"{stem}.safetensors")
        return Patch.of("lora", file=folder.add(path).hash, strength=strength)

    return patch


def test_a_captured_step_serves_every_seed_strength_and_prompt(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cpu"), graphs_on_cpu(folder)
    for seed in range(3):
        assert torch.equal(step(store, plain, seed), step(eager, plain, seed))
    assert counts(store, "captures", "replayed_steps", "eager_steps") == (1, 3, 0)
    for strength in (1.0, 0.5, 0.25):
        patched = plain.patched(loras(strength=strength))
        assert torch.equal(step(store, patched, 4), step(eager, patched, 4))
    assert counts(store, "captures") == (2,)  # one more: for a model with these weights patched
    assert torch.equal(step(store, plain, 5), step(eager, plain, 5))
    assert counts(store, "captures", "eager_steps") == (2, 0)


def test_another_lora_for_other_weights_is_captured_anew_and_neither_mixes_with_the_first(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cpu"), graphs_on_cpu(folder)
    recipes = [plain.patched(loras(STEM)), plain.patched(loras(OTHER)), plain]
    for recipe in recipes * 2:
        assert torch.equal(step(store, recipe, 1), step(eager, recipe, 1))
    assert counts(store, "captures", "replayed_steps") == (3, 6)


def test_another_shape_is_captured_anew(checkpoint: Path, folder: Folder) -> None:
    plain, store = Model(folder.add(checkpoint), "sd1"), graphs_on_cpu(folder)
    for batch in (1, 2, 1, 2):
        step(store, plain, batch=batch)
    assert counts(store, "captures", "replayed_steps") == (2, 4)


def test_a_captured_step_is_in_the_budget_and_goes_with_the_weights_that_it_reads(
    checkpoint: Path, folder: Folder
) -> None:
    plain, store = Model(folder.add(checkpoint), "sd1"), graphs_on_cpu(folder)
    step(store, plain)
    held = {entry.what: entry for entry in store.explain()}
    assert held["captured step"].bytes > 0
    weights = held["denoiser weights, float32"].bytes
    tight = graphs_on_cpu(folder, budget=weights)  # no room for anything else
    expected = step(Store(folder, "cpu"), plain)
    for _ in range(2):
        assert torch.equal(step(tight, plain), expected)
    assert tight.counters()["device_bytes"] <= weights


def test_what_cannot_be_captured_runs_eagerly_and_says_so_once(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    store = graphs_on_cpu(folder, FakeRecorder("operation not permitted when stream is capturing"))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert torch.equal(step(store, plain), step(Store(folder, "cpu"), plain))
    assert counts(store, "captures", "eager_steps", "replayed_steps") == (1, 3, 0)
    assert len(caplog.records) == 1
    assert "cannot be captured: operation not permitted when stream is capturing" in caplog.text


def test_a_cpu_says_that_it_captures_nothing(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(folder, "cpu", accelerate="graphs")
    with caplog.at_level(logging.WARNING):
        step(store, Model(folder.add(checkpoint), "sd1"))
    assert "CUDA devices only" in caplog.text
    assert counts(store, "eager_steps") == (1,)


def test_a_network_that_guidance_changes_runs_eagerly(checkpoint: Path, folder: Folder) -> None:
    plain, store = Model(folder.add(checkpoint), "sd1"), graphs_on_cpu(folder)
    x, sigma, tokens = torch.randn(1, 4, 8, 8), torch.tensor([2.0]), torch.randn(1, 77, 32)
    with store.use(plain) as live:
        usual = live.denoise(x, sigma, tokens)
        with self_attention_as_identity(network_of(live), "middle_block"):
            changed = live.denoise(x, sigma, tokens)
    assert not torch.equal(usual, changed)
    assert counts(store, "replayed_steps", "eager_steps") == (1, 1)


def test_a_streamed_model_runs_eagerly(checkpoint: Path, folder: Folder) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    weights = sum(tensor.nbytes for tensor in _denoiser_tensors(folder, plain))
    store = graphs_on_cpu(folder, budget=int(weights * 0.7))
    assert torch.equal(step(store, plain), step(Store(folder, "cpu"), plain))
    assert counts(store, "replayed_steps", "eager_steps") == (0, 1)
    assert store.counters()["streamed_blocks"] > 0


def _denoiser_tensors(folder: Folder, model: Model) -> Iterator[Tensor]:
    with Store(folder, "cpu").use(model) as live:
        yield from network_of(live).parameters()


def compiled_on_cpu(folder: Folder, backend: str = "eager") -> Store:
    return Store(folder, "cpu", accelerate=Accelerator("compile", CPU, backend=backend))


def test_a_network_is_compiled_once_for_all_seeds_loras_and_strengths(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cpu"), compiled_on_cpu(folder)
    recipes = [
        plain,
        *(plain.patched(loras(STEM, strength)) for strength in (1.0, 0.5)),
        plain.patched(loras(OTHER)),
    ]
    for seed, recipe in enumerate(recipes):
        assert torch.equal(step(store, recipe, seed), step(eager, recipe, seed))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert counts(store, "compiled_steps", "eager_steps") == (4, 0)


def test_a_network_that_cannot_be_compiled_runs_eagerly_and_says_so(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    torch._dynamo.reset()
    store = compiled_on_cpu(folder, backend="no-such-compiler")
    with caplog.at_level(logging.WARNING):
        step(store, Model(folder.add(checkpoint), "sd1"))
    assert "cannot be compiled" in caplog.text
    assert counts(store, "compiled_steps", "eager_steps") == (0, 1)


def test_compiling_is_in_the_profile_and_capturing_is_not(folder: Folder) -> None:
    usual = Store(folder, "cpu").profile
    assert Store(folder, "cpu", accelerate="graphs").profile == usual
    assert Store(folder, "cpu", accelerate="both").profile == f"{usual} compiled"


def test_an_unknown_acceleration_is_refused(folder: Folder) -> None:
    with pytest.raises(InputError, match="off, compile, graphs, both"):
        Store(folder, "cpu", accelerate="fast")


@pytest.mark.gpu
@CUDA
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_gpu_replays_the_bits_of_eager_steps(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch], dtype: str
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cuda", dtype), Store(folder, "cuda", dtype, accelerate="graphs")
    recipes = [plain, plain, *(plain.patched(loras(strength=strength)) for strength in (1.0, 0.5)), plain]
    for seed, recipe in enumerate(recipes):
        found, expected = step(store, recipe, seed), step(eager, recipe, seed)
        assert float((found - expected).norm() / expected.norm()) <= 1e-3 if dtype != "float32" else 1e-6
    assert counts(store, "captures", "replayed_steps", "eager_steps") == (2, 5, 0)


@pytest.mark.gpu
@CUDA
@pytest.mark.parametrize("mode", ["compile", "both"])
def test_a_gpu_compiles_what_it_computes_eagerly(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch], mode: str
) -> None:
    torch._dynamo.reset()
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cuda", "float32"), Store(folder, "cuda", "float32", accelerate=mode)
    for seed, recipe in enumerate(
        [plain, plain.patched(loras(strength=1.0)), plain.patched(loras(strength=0.5))]
    ):
        found, expected = step(store, recipe, seed), step(eager, recipe, seed)
        assert float((found - expected).norm() / expected.norm()) <= 1e-3
    assert counts(store, "eager_steps") == (0,)
