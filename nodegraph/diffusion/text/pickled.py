"""Embeddings in pickled files (`.pt`, `.bin`), which are opened only where the user has consented."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nodegraph.errors import ModelFileError


def read_pickled(path: Path) -> Mapping[str, Tensor]:
    """The tensors of an embedding, named as its safetensors forms name them.

    Read by torch's `weights_only` loader, which builds tensors and plain containers and runs nothing else.
    ModelFileError: the file is damaged or holds anything more.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelFileError(
            f"{path} cannot be read as tensors alone: {str(error).splitlines()[0]}",
            code="model_file_pickle",
            remedy="Get the embedding as safetensors.",
        ) from error
    if isinstance(held, Tensor):
        return {"embedding": held}
    if isinstance(held, dict):
        inner = held.get("string_to_param")
        words = {f"string_to_param.{name}": value for name, value in inner.items()} if inner else held
        return {str(name): value for name, value in words.items() if isinstance(value, Tensor)}
    return {}
