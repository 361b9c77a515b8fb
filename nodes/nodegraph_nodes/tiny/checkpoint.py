"""Training checkpoints: one safetensors file with the weights, their average and the optimizer's state.

safetensors runs no code when it is read, and a file that is written beside its target and then moved over it
is never half written: a run that is killed resumes from the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: optimizer steps, and seconds of training spent on them."""

    step: int = 0
    seconds: float = 0.0


def write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file in one go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, part, dict(metadata))
    part.replace(path)


def read(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """Tensors of a safetensors file whose names start with ``prefix``, without it."""
    with safe_open(path, "pt") as file:
        names: list[str] = list(file.keys())
        return {name[len(prefix) :]: file.get_tensor(name) for name in names if name.startswith(prefix)}


def read_metadata(path: Path) -> dict[str, str]:
    """The text metadata of a safetensors file."""
    with safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimizer as named tensors (``optimizer.<parameter>.<name>``)."""
    return {
        f"optimizer.{index}.{name}": value
        for index, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the state back that :func:`optimizer_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
