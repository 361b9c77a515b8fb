"""Memory that stays flat: models in turn under a budget, LoRAs on and off, and base weights left alone."""

from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nodegraph.diffusion.store import Store
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.values import Model, Patch
from tests.diffusion.small_models import Folder, checkpoint_tensors, tokenizer_metadata

WriteLora = Callable[..., Path]
STEM = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"


def resident_bytes_of_process() -> int | None:
    """Resident memory of this process; None where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    gc.collect()
    found = re.search(r"VmRSS:\s*(\d+) kB", status.read_text())
    return int(found[1]) * 1024 if found else None


def three_models(folder: Folder, tmp_path: Path) -> list[Model]:
    models = []
    for seed in range(3):
        path = tmp_path / f"{seed}.safetensors"
        save_file(checkpoint_tensors(seed), path, tokenizer_metadata())
        models.append(Model(folder.add(path), "sd1"))
    return models


@pytest.mark.parametrize("runs", [30, pytest.param(200, marks=pytest.mark.full)])
@pytest.mark.parametrize("shared", [True, False])
def test_three_models_in_turn_keep_memory_flat(
    folder: Folder, tmp_path: Path, runs: int, shared: bool
) -> None:
    models = three_models(folder, tmp_path)
    budget = 8_000_000  # two of 3.8 MB
    store = Store(folder, "cpu", budget_bytes=budget, host_budget_bytes=budget, shared_memory=shared)
    x, sigma, tokens = torch.zeros(1, 4, 4, 4), torch.ones(1), torch.zeros(1, 3, 32)

    def turn(count: int) -> int:
        most = 0
        for run in range(count):
            with store.use(models[run % 3]) as live:
                live.denoise(x, sigma, tokens)
            counters = store.counters()
            assert counters["device_bytes"] <= budget
            assert counters["host_bytes"] <= budget
            most = max(most, counters["resident_bytes"])
        return most

    held = turn(9)
    before = resident_bytes_of_process()
    assert turn(runs) <= held
    after = resident_bytes_of_process()
    if before is not None and after is not None:
        assert after <= before * 1.02
    if not shared:  # three fit on the two tiers together: the disk is asked once for each
        assert store.counters()["file_reads"] == 3


@pytest.mark.parametrize("swaps", [10, pytest.param(50, marks=pytest.mark.full)])
def test_lora_swaps_leave_base_weights_bit_equal_and_memory_flat(
    checkpoint: Path, folder: Folder, write_lora: WriteLora, swaps: int
) -> None:
    loras = [
        folder.add(write_lora({STEM: (64, 64, alpha)}, name=f"{alpha}.safetensors")) for alpha in (1.0, 2.0)
    ]
    model = Model(folder.add(checkpoint), "sd1")
    store = Store(folder, "cpu", budget_bytes=4_000_000)
    x, sigma, tokens = torch.randn(1, 4, 4, 4), torch.ones(1), torch.randn(1, 3, 32)

    def digest() -> str:
        with store.use(model) as live:
            assert isinstance(live, UNetDenoiser)
            whole = hashlib.blake2b()
            for parameter in live.network.parameters():
                whole.update(parameter.contiguous().numpy().tobytes())
            return whole.hexdigest()

    def swap(number: int) -> None:
        strength = 1 / (number + 1)
        with store.use(
            model.patched(Patch.of("lora", file=loras[number % 2].hash, strength=strength))
        ) as live:
            live.denoise(x, sigma, tokens)
        assert store.counters()["resident_bytes"] <= 4_000_000

    clean = digest()
    for number in range(12):
        swap(number)
    reads, before = store.counters()["file_reads"], resident_bytes_of_process()
    for number in range(swaps):
        swap(number + 12)
    after = resident_bytes_of_process()
    assert digest() == clean
    assert store.counters()["file_reads"] == reads == 3  # the base and two LoRAs, once each
    if before is not None and after is not None:
        assert after <= before * 1.02
