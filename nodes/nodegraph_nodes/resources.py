"""Devices and live models of the built-in pack: what the engine's nodes run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

import psutil
import torch

from nodegraph.codecs import TensorStore
from nodegraph.diffusion.device import choose_device, computes
from nodegraph.diffusion.store import Store
from nodegraph.diffusion.text.tokenizer_files import t5_tokenizer_source, tokenizer_source
from nodegraph.hookspecs import ResourceSettings
from nodegraph.runtime import Files, ModelStore, Shortage
from nodegraph_nodes.tensors import SafetensorsStore

_SHARE = 0.6
"""The part of a device's memory that weights may fill; the rest is for activations and other programs."""

_HOST_SHARE = 0.5
"""The part of main memory that weights of a GPU may fill while they wait for it."""


class DiffusionResources:
    """One device, one precision, one model store."""

    def __init__(self, settings: ResourceSettings, files: Files) -> None:
        own = settings.data_dir / "models" / "tokenizers" if settings.data_dir else None
        self._store = Store(
            files,
            settings.device,
            settings.dtype,
            settings.model_budget or _default_budget(settings.device),
            host_budget_bytes=int(psutil.virtual_memory().total * _HOST_SHARE),
            tokenizer_source=tokenizer_source([own / "clip"] if own else []),
            t5_tokenizer_source=t5_tokenizer_source([own / "t5"] if own else []),
            families=settings.families,
            accelerate=settings.accelerate,
        )

    @property
    def models(self) -> ModelStore:
        return self._store

    @property
    def tensors(self) -> TensorStore:
        return SafetensorsStore()

    def profile(self) -> str:
        return self._store.profile

    def guard(self) -> AbstractContextManager[object]:
        return torch.no_grad()

    def forget_peak(self) -> None:
        begun = torch.cuda.is_initialized()  # type: ignore[no-untyped-call] # torch says no types of it
        if begun and self._store.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._store.device)

    def peak(self) -> int:
        device = self._store.device
        return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0

    def is_well(self) -> bool:
        return computes(self._store.device)

    def relieve(self, error: BaseException) -> Shortage | None:
        return self._store.relieve(error)

    def explain(self) -> Sequence[Mapping[str, Any]]:
        return [asdict(entry) for entry in self._store.explain()]


def _default_budget(device: str) -> int:
    """Bytes for weights where the user names no budget: a share of the memory of the device."""
    chosen = choose_device(device)
    if chosen.type == "cuda":
        total = torch.cuda.get_device_properties(chosen).total_memory
    else:
        total = psutil.virtual_memory().total
    return int(total * _SHARE)
