"""Devices and live models of the built-in pack: what the engine's nodes run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

import torch

from nodegraph.diffusion.store import Store
from nodegraph.diffusion.text.tokenizer_files import tokenizer_source
from nodegraph.hookspecs import ResourceSettings
from nodegraph.runtime import Files, ModelStore


class DiffusionResources:
    """One device, one precision, one model store."""

    def __init__(self, settings: ResourceSettings, files: Files) -> None:
        own = [settings.data_dir / "models" / "tokenizers" / "clip"] if settings.data_dir else []
        self._store = Store(
            files,
            settings.device,
            settings.dtype,
            settings.model_budget,
            tokenizer_source=tokenizer_source(own),
        )

    @property
    def models(self) -> ModelStore:
        return self._store

    def profile(self) -> str:
        return self._store.profile

    def guard(self) -> AbstractContextManager[object]:
        return torch.no_grad()

    def explain(self) -> Sequence[Mapping[str, Any]]:
        return [asdict(entry) for entry in self._store.explain()]
