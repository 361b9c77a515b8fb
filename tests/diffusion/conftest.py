"""Fixtures of the diffusion tests. One thread: the networks are small, and other work shares the cores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.diffusion.small_models import Folder, checkpoint_tensors, tokenizer_metadata

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint with its tokenizer, float32, eps prediction."""
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    save_file(checkpoint_tensors(), path, tokenizer_metadata())
    return path


@pytest.fixture
def folder() -> Folder:
    return Folder()


@pytest.fixture
def write_lora(tmp_path: Path) -> Callable[..., Path]:
    """Writes a LoRA for modules given as stem -> (out, in, alpha or None), rank 4, kohya names."""

    def write(
        modules: dict[str, tuple[int, int, float | None]], name: str = "lora.safetensors", rank: int = 4
    ) -> Path:
        generator = torch.Generator().manual_seed(5)
        tensors: dict[str, Tensor] = {}
        for stem, (rows, columns, alpha) in modules.items():
            tensors[f"{stem}.lora_down.weight"] = torch.randn(rank, columns, generator=generator)
            tensors[f"{stem}.lora_up.weight"] = torch.randn(rows, rank, generator=generator)
            if alpha is not None:
                tensors[f"{stem}.alpha"] = torch.tensor(alpha)
        path = tmp_path / name
        save_file(tensors, path)
        return path

    return write
