"""Accelerated steps: the same results, captured and compiled once whatever LoRA, strength or seed comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.acceleration.attach import Accelerator
from nodegraph.diffusion.acceleration.captured import Recording
from nodegraph.diffusion.denoiser import NetworkDenoiser
from nodegraph.diffusion.guidance.weaken import network_of, self_attention_as_identity
from nodegraph.diffusion.store import Store
from nodegraph.errors import InputError
from nodegraph.runtime import TellsWays
from nodegraph.values import Model, Patch
from tests.diffusion.small_models import Folder

WriteLora = Callable[..., Path]
STEM = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
OTHER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
CPU = torch.device("cpu")


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

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails

    def record(self, work: Callable[[], Tensor]) -> Recording:
        if self.fails is not None:
            raise self.fails
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


def ways(store: Store, model: Model) -> Mapping[str, int]:
    with store.use(model) as live:
        assert isinstance(live, TellsWays)
        return live.ways()


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
    assert counts(store, "captures") == (2,)  # one more: with copies of these weights
    assert torch.equal(step(store, plain, 5), step(eager, plain, 5))
    assert counts(store, "captures", "eager_steps") == (2, 0)


def test_a_lora_for_other_weights_is_captured_once_and_the_step_then_serves_all_recipes(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cpu"), graphs_on_cpu(folder)
    first, other = plain.patched(loras(STEM)), plain.patched(loras(OTHER))
    captures: list[int] = []
    for recipe in [plain, first, other, first, plain, other, first.patched(loras(OTHER)), plain]:
        assert torch.equal(step(store, recipe, 1), step(eager, recipe, 1))
        captures += counts(store, "captures")
    assert captures == [1, 2, 3, 3, 3, 3, 3, 3]
    assert [entry.what for entry in store.explain()].count("captured step") == 1
    assert counts(store, "eager_steps") == (0,)


def test_another_shape_is_captured_anew(checkpoint: Path, folder: Folder) -> None:
    plain, store = Model(folder.add(checkpoint), "sd1"), graphs_on_cpu(folder)
    for batch in (1, 2, 1, 2):
        step(store, plain, batch=batch)
    assert counts(store, "captures", "replayed_steps") == (2, 4)


def test_a_captured_step_is_in_the_budget_and_goes_with_the_weights_that_it_reads(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    plain, store = Model(folder.add(checkpoint), "sd1"), graphs_on_cpu(folder)
    step(store, plain)
    held = {entry.what: entry for entry in store.explain()}
    assert held["captured step"].bytes > 0
    weights = held["denoiser weights, float32"].bytes
    tight = graphs_on_cpu(folder, budget=weights)  # no room for anything else
    expected = step(Store(folder, "cpu"), plain)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert torch.equal(step(tight, plain), expected)
    assert tight.counters()["device_bytes"] <= weights
    # What it takes is known once it was captured: it is not captured again and again in vain.
    assert counts(tight, "captures", "replayed_steps", "eager_steps") == (1, 1, 4)
    assert len(caplog.records) == 1
    assert "there is no room for a captured step" in caplog.text


def test_copies_of_patched_weights_that_do_not_fit_are_known_beforehand(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    patched = plain.patched(loras())
    plenty = Store(folder, "cpu")
    expected = step(plenty, patched)
    needed = sum(entry.bytes for entry in plenty.explain() if entry.what != "patch file")
    file = next(entry.bytes for entry in plenty.explain() if entry.what == "patch file")
    store = graphs_on_cpu(folder, budget=needed + file)  # the copy would be as large again as the overlay
    assert torch.equal(step(store, patched), expected)
    assert counts(store, "captures", "replayed_steps", "eager_steps") == (0, 0, 1)


def test_what_cannot_be_captured_runs_eagerly_and_says_so_once(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    store = graphs_on_cpu(
        folder, FakeRecorder(RuntimeError("operation not permitted when stream is capturing"))
    )
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert torch.equal(step(store, plain), step(Store(folder, "cpu"), plain))
    assert counts(store, "captures", "eager_steps", "replayed_steps") == (1, 3, 0)
    assert len(caplog.records) == 1
    assert "cannot be captured (operation not permitted when stream is capturing)" in caplog.text
    assert ways(store, plain) == {"eager: the step cannot be captured": 3}


def test_a_capture_that_runs_out_of_memory_leaves_an_eager_step(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    recorder = FakeRecorder(torch.OutOfMemoryError("tried to allocate 20.00 GiB"))
    store = graphs_on_cpu(folder, recorder)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert torch.equal(step(store, plain), step(Store(folder, "cpu"), plain))
    assert counts(store, "captures", "eager_steps") == (1, 2)
    assert "ran out of memory while a step was captured (tried to allocate 20.00 GiB)" in caplog.text
    assert "captured step" not in [entry.what for entry in store.explain()]


def test_what_the_network_itself_refuses_is_raised_and_nothing_is_remembered_of_it(
    checkpoint: Path, folder: Folder
) -> None:
    plain, store = Model(folder.add(checkpoint), "sd1"), graphs_on_cpu(folder)
    with store.use(plain) as live:
        assert isinstance(live, NetworkDenoiser)
        with pytest.raises(RuntimeError, match="shapes"):
            live.call(torch.randn(1, 4, 8, 8), torch.ones(1), torch.randn(1, 7, 31), None)
    step(store, plain)
    assert ways(store, plain) == {"replayed": 1}


def test_a_cpu_says_that_it_captures_nothing(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(folder, "cpu", accelerate="graphs")
    with caplog.at_level(logging.WARNING):
        step(store, Model(folder.add(checkpoint), "sd1"))
    assert "CUDA devices only" in caplog.text
    assert counts(store, "eager_steps") == (1,)
    assert ways(store, Model(folder.add(checkpoint), "sd1")) == {
        "eager: steps can be captured on CUDA devices only": 1
    }


def test_what_is_not_accelerated_tells_no_ways(checkpoint: Path, folder: Folder) -> None:
    store, plain = Store(folder, "cpu"), Model(folder.add(checkpoint), "sd1")
    step(store, plain)
    assert ways(store, plain) == {}
    assert counts(store, "eager_steps") == (0,)


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


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_network_is_compiled_once_for_all_seeds_loras_and_strengths(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch], backend: str
) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    plain = Model(folder.add(checkpoint), "sd1")
    eager, store = Store(folder, "cpu"), compiled_on_cpu(folder, backend)
    recipes = [
        plain,
        *(plain.patched(loras(STEM, strength)) for strength in (1.0, 0.5)),
        plain.patched(loras(OTHER)),
    ]
    for seed, recipe in enumerate(recipes):
        assert torch.equal(step(store, recipe, seed), step(eager, recipe, seed))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert not torch._dynamo.utils.counters["graph_break"]
    assert counts(store, "compiled_steps", "eager_steps") == (4, 0)


def test_a_compiled_network_is_captured_and_neither_is_done_twice(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    plain = Model(folder.add(checkpoint), "sd1")
    accelerator = Accelerator("compile,graphs", CPU, FakeRecorder(), backend="eager")
    eager, store = Store(folder, "cpu"), Store(folder, "cpu", accelerate=accelerator)
    for seed, strength in enumerate((1.0, 0.5, 0.25)):
        recipe = plain.patched(loras(strength=strength))
        assert torch.equal(step(store, recipe, seed), step(eager, recipe, seed))
    assert counts(store, "captures", "replayed_steps", "eager_steps") == (1, 3, 0)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_a_compiled_step_where_none_can_be_captured_is_told(checkpoint: Path, folder: Folder) -> None:
    torch._dynamo.reset()
    plain = Model(folder.add(checkpoint), "sd1")
    accelerator = Accelerator("compile,graphs", CPU, backend="eager")
    store = Store(folder, "cpu", accelerate=accelerator)
    step(store, plain)
    assert ways(store, plain) == {"compiled: steps can be captured on CUDA devices only": 1}


def test_a_network_that_cannot_be_compiled_runs_eagerly_and_says_so(
    checkpoint: Path, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    torch._dynamo.reset()
    store = compiled_on_cpu(folder, backend="no-such-compiler")
    with caplog.at_level(logging.WARNING):
        step(store, Model(folder.add(checkpoint), "sd1"))
    assert "cannot be compiled" in caplog.text
    assert counts(store, "compiled_steps", "eager_steps") == (0, 1)


def test_convolutions_with_channels_last_compute_the_same(
    checkpoint: Path, folder: Folder, loras: Callable[..., Patch]
) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    usual, store = Store(folder, "cpu"), Store(folder, "cpu", accelerate="channels-last")
    for recipe in (plain, plain.patched(loras())):
        found, expected = step(store, recipe), step(usual, recipe)
        assert float((found - expected).norm() / expected.norm()) <= 1e-5
    with store.use(plain) as live:
        kernels = [tensor for tensor in network_of(live).parameters() if tensor.dim() == 4]
    assert kernels
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    assert store.counters()["device_bytes"] == usual.counters()["device_bytes"]


def test_streamed_convolutions_keep_their_layout_and_bits(checkpoint: Path, folder: Folder) -> None:
    plain = Model(folder.add(checkpoint), "sd1")
    whole = Store(folder, "cpu", accelerate="channels-last")
    expected = step(whole, plain)
    weights = int(whole.counters()["device_bytes"] * 0.7)
    for host in (0, None):
        tight = Store(
            folder,
            "cpu",
            budget_bytes=weights,
            host_budget_bytes=host,
            shared_memory=False,
            accelerate="channels-last",
        )  # fmt: skip
        assert torch.equal(step(tight, plain), expected)
        assert tight.counters()["streamed_blocks"] > 0


def test_what_rounds_differently_is_in_the_profile_and_capturing_is_not(folder: Folder) -> None:
    usual = Store(folder, "cpu").profile
    assert Store(folder, "cpu", accelerate="graphs").profile == usual
    assert Store(folder, "cpu", accelerate="graphs,compile").profile == f"{usual} compiled"
    assert Store(folder, "cpu", accelerate="compile,channels-last").profile == (
        f"{usual} channels-last compiled"
    )


@pytest.mark.parametrize("names", ["fast", "", "compile,", "off,compile", "both"])
def test_an_unknown_acceleration_is_refused(folder: Folder, names: str) -> None:
    with pytest.raises(InputError, match="compile, graphs, channels-last"):
        Store(folder, "cpu", accelerate=names)
