"""Streaming: the bits of the resident run, one block ahead, never more on the device than was planned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nodegraph.diffusion.placement import ModelMemoryError
from nodegraph.diffusion.store import Store
from nodegraph.diffusion.streaming import (
    Read,
    Streamer,
    ThreadCourier,
    Wait,
    block_of,
    blocks_of,
    placeholder,
)
from nodegraph.values import Model, Patch, TextEncoder, Vae
from tests.diffusion.small_models import Folder

WriteLora = Callable[..., Path]
ATTENTION = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
MIDDLE = "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_2"
SMALL = 1_000_000  # of the denoiser's 3.8 MB
X, SIGMA, TOKENS = torch.randn(1, 4, 8, 8), torch.ones(1), torch.randn(1, 3, 32)


class FakeCourier:
    """Brings blocks when they are waited for, and notes what was sent and what arrived."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.sent = 0

    def send(self, read: Read) -> Wait:
        number = self.sent
        self.sent += 1
        self.log.append(f"send {number}")

        def wait() -> dict[str, Tensor]:
            self.log.append(f"arrive {number}")
            return read()

        return wait

    def close(self) -> None:
        self.log.append("close")


class Row(nn.Module):
    """Three blocks in a list and one layer outside."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return x


def streamed_row(courier: FakeCourier, ahead: int = 2) -> tuple[Row, Row, Streamer, dict[str, int]]:
    """A resident network, its streamed twin, what feeds that one, and its counters."""
    resident, streamed = Row().requires_grad_(False), Row().requires_grad_(False)
    weights = dict(resident.state_dict())
    stand_ins = {
        name: placeholder(tensor.shape, tensor.dtype, tensor.device)
        for name, tensor in weights.items()
        if block_of(name)
    }
    streamed.load_state_dict({**weights, **stand_ins}, assign=True)
    counts: dict[str, int] = {}

    def count(name: str, amount: int) -> None:
        counts[name] = counts.get(name, 0) + amount

    def fetch(names: list[str]) -> dict[str, Tensor]:
        return {name: weights[name] for name in names}

    return resident, streamed, Streamer(streamed, stand_ins, fetch, courier, ahead, count), counts


def test_the_next_block_is_on_its_way_before_this_one_runs() -> None:
    courier = FakeCourier()
    resident, streamed, streamer, counts = streamed_row(courier)
    x = torch.randn(2, 4)
    assert torch.equal(streamed(x), resident(x))
    assert courier.log == [
        "send 0", "arrive 0", "send 1",  # block 0 runs while block 1 comes
        "arrive 1", "send 2",
        "arrive 2", "send 3",  # the first block again, for the next step
    ]  # fmt: skip
    assert torch.equal(streamed(x), resident(x))
    assert counts == {"streamed_blocks": 7}
    streamer.drain()
    assert all(torch.isnan(parameter).all() for parameter in streamed.blocks.parameters())
    streamer.close()
    assert courier.log[-1] == "close"


def test_without_room_for_two_blocks_nothing_is_sent_ahead() -> None:
    courier = FakeCourier()
    resident, streamed, _, _ = streamed_row(courier, ahead=1)
    x = torch.randn(2, 4)
    assert torch.equal(streamed(x), resident(x))
    assert courier.log == [f"{what} {number}" for number in range(3) for what in ("send", "arrive")]


def test_the_order_of_the_calls_is_learnt() -> None:
    courier = FakeCourier()
    resident, streamed, _, counts = streamed_row(courier)
    x = torch.randn(2, 4)

    def backwards(row: Row) -> Tensor:
        out = x
        for block in reversed(row.blocks):
            out = block(out)
        return out

    for _ in range(2):  # the second time the way from the last block to the first is learnt
        assert torch.equal(backwards(streamed), backwards(resident))
    missed = counts["misguided_blocks"]
    assert missed > 0
    for _ in range(3):
        assert torch.equal(backwards(streamed), backwards(resident))
    assert counts["misguided_blocks"] == missed


def test_what_a_failing_block_leaves_is_taken_away() -> None:
    courier = FakeCourier()
    resident, streamed, streamer, _ = streamed_row(courier)
    with pytest.raises(RuntimeError):
        streamed.blocks[1](torch.randn(2, 5))
    streamer.drain()
    x = torch.randn(2, 4)
    assert torch.equal(streamed(x), resident(x))


def test_blocks_are_elements_of_lists_in_natural_order() -> None:
    names = ["time_embed.0.weight", "input_blocks.10.0.op.weight", "input_blocks.2.0.in_layers.0.bias", "pos"]
    assert list(blocks_of(names)) == ["input_blocks.2", "input_blocks.10", "time_embed.0"]
    assert block_of("text_model.encoder.layers.3.mlp.fc1.bias") == "text_model.encoder.layers.3"
    assert block_of("decoder.mid.block_1.conv1.weight") is None
    assert block_of("scales.4") is None


def denoised(store: Store, model: Model, calls: int = 2) -> Tensor:
    with store.use(model) as live:
        for _ in range(calls):
            result = live.denoise(X, SIGMA, TOKENS)
    return result


@pytest.mark.parametrize("courier", [lambda device: FakeCourier(), ThreadCourier])
def test_a_streamed_denoiser_gives_the_bits_of_a_resident_one(
    checkpoint: Path, folder: Folder, courier: Callable[[torch.device], FakeCourier]
) -> None:
    model = Model(folder.add(checkpoint), "sd1")
    expected = denoised(Store(folder, "cpu"), model)
    store = Store(folder, "cpu", budget_bytes=SMALL, courier=courier)
    assert torch.equal(denoised(store, model), expected)
    counters = store.counters()
    assert counters["streamed_blocks"] > 10
    assert counters["resident_bytes"] <= SMALL


def test_text_encoders_and_autoencoders_are_streamed_too(checkpoint: Path, folder: Folder) -> None:
    base = folder.add(checkpoint)
    pixels, latent = torch.rand(1, 16, 16, 3), torch.randn(1, 4, 2, 2)

    def run(store: Store) -> list[Tensor]:
        with store.use(TextEncoder(base, "sd1")) as encoder:
            tokens = [encoder.encode("a red circle").tokens for _ in range(2)]
        with store.use(Vae(base, "sd1")) as vae:
            return [*tokens, vae.encode(pixels), vae.decode(latent), vae.encode(pixels), vae.decode(latent)]

    store = Store(folder, "cpu", budget_bytes=700_000)
    for expected, found in zip(run(Store(folder, "cpu")), run(store), strict=True):
        assert torch.equal(expected, found)
    assert store.counters()["streamed_blocks"] > 4
    assert store.counters()["resident_bytes"] <= 700_000


@pytest.mark.parametrize("shared", [True, False])
def test_a_lora_is_applied_to_streamed_blocks(
    checkpoint: Path, folder: Folder, write_lora: WriteLora, shared: bool
) -> None:
    lora = folder.add(write_lora({ATTENTION: (64, 64, None), MIDDLE: (64, 256, 2.0)}))
    plain = Model(folder.add(checkpoint), "sd1")
    model = plain.patched(Patch.of("lora", file=lora.hash, strength=0.8))
    resident = Store(folder, "cpu")
    store = Store(folder, "cpu", budget_bytes=SMALL, shared_memory=shared)
    for recipe in (model, plain, model):
        assert torch.equal(denoised(store, recipe), denoised(resident, recipe))
        assert store.counters()["device_bytes"] <= SMALL
    assert not torch.equal(denoised(store, model), denoised(store, plain))


def test_blocks_come_from_the_host_where_it_has_room_and_else_from_the_file(
    checkpoint: Path, folder: Folder
) -> None:
    model = Model(folder.add(checkpoint), "sd1")
    roomy = Store(folder, "cpu", budget_bytes=SMALL, host_budget_bytes=10**7, shared_memory=False)
    denoised(roomy, model)
    counters = roomy.counters()
    assert counters["file_blocks"] == 0 < counters["host_bytes"] <= 10**7
    reads = counters["file_reads"]
    denoised(roomy, model)
    assert roomy.counters()["file_reads"] == reads
    tight = Store(folder, "cpu", budget_bytes=SMALL, host_budget_bytes=1000, shared_memory=False)
    denoised(tight, model)
    assert tight.counters()["file_blocks"] == tight.counters()["streamed_blocks"] > 0
    assert tight.counters()["host_bytes"] == 0


def test_what_leaves_the_device_waits_on_the_host_and_comes_back_without_the_disk(
    checkpoint: Path, folder: Folder
) -> None:
    base = folder.add(checkpoint)
    store = Store(folder, "cpu", budget_bytes=4_000_000, host_budget_bytes=10**8, shared_memory=False)
    first = denoised(store, Model(base, "sd1"))
    for _ in range(5):
        with store.use(Vae(base, "sd1")), store.use(TextEncoder(base, "sd1")):
            pass
        assert torch.equal(denoised(store, Model(base, "sd1")), first)
        assert store.counters()["device_bytes"] <= 4_000_000
    counters = store.counters()
    assert counters["file_reads"] == 3
    assert counters["moved_to_host"] >= 5
    assert counters["moved_to_device"] >= 5
    assert {entry.tier for entry in store.explain()} == {"device", "host"}


def test_what_was_streamed_is_loaded_whole_once_there_is_room(checkpoint: Path, folder: Folder) -> None:
    base = folder.add(checkpoint)
    store = Store(folder, "cpu", budget_bytes=4_000_000)
    with store.use(TextEncoder(base, "sd1")):  # 0.18 MB, and it is in use
        store.pin(Vae(base, "sd1"))
        denoised(store, Model(base, "sd1"))
        assert store.counters()["streamed_blocks"] > 0
    store.unpin(Vae(base, "sd1"))
    denoised(store, Model(base, "sd1"))
    before = store.counters()
    denoised(store, Model(base, "sd1"))
    assert store.counters() == before


def test_the_refusal_names_needed_and_available_bytes(checkpoint: Path, folder: Folder) -> None:
    model = Model(folder.add(checkpoint), "sd1")
    with pytest.raises(ModelMemoryError) as caught:
        denoised(Store(folder, "cpu", budget_bytes=500_000), model)
    needed = caught.value.needed
    assert f"{needed:,} bytes" in str(caught.value)
    assert caught.value.available == 500_000
    store = Store(folder, "cpu", budget_bytes=needed)  # and it is the truth: so much is enough
    denoised(store, model)
    assert store.counters()["device_bytes"] <= needed


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("host", [None, 1000])
def test_on_a_gpu_too(checkpoint: Path, folder: Folder, write_lora: WriteLora, host: int | None) -> None:
    lora = folder.add(write_lora({ATTENTION: (64, 64, None)}))
    plain = Model(folder.add(checkpoint), "sd1")
    resident = Store(folder, "cuda", "float32")
    store = Store(folder, "cuda", "float32", SMALL, host_budget_bytes=None)
    tight = Store(folder, "cuda", "float32", SMALL, host_budget_bytes=host)
    x, sigma, tokens = X.cuda(), SIGMA.cuda(), TOKENS.cuda()

    def run(store: Store, model: Model) -> Tensor:
        with store.use(model) as live:
            for _ in range(5):
                result = live.denoise(x, sigma, tokens)
        return result

    assert torch.equal(run(store, plain), run(resident, plain))
    before = torch.cuda.memory_allocated()
    assert store.counters()["device_bytes"] <= SMALL
    for _ in range(10):
        run(store, plain)
    assert torch.cuda.memory_allocated() <= before + 2**20
    if host is None:  # the LoRA's file needs room on the host
        patched = plain.patched(Patch.of("lora", file=lora.hash, strength=0.5))
        assert torch.equal(run(tight, patched), run(resident, patched))
    assert torch.equal(run(tight, plain), run(resident, plain))
