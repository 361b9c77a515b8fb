"""Read tensors of a model file, and put them into networks without copying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.sources import Sources, TensorSource

M = TypeVar("M", bound=nn.Module)
Tensors = Mapping[str, Tensor]

MAPPED_BYTES = 64 * 2**20
"""How much of a file is mapped at once: pages that were read count as memory until their map is closed."""


def read_tensors(
    header: Header, names: Sources, device: torch.device, dtype: torch.dtype | None = None
) -> dict[str, Tensor]:
    """Tensors of a network (name -> how the file makes it), on a device.

    dtype converts floating-point tensors; None keeps them as stored. Every tensor goes from the mapped
    file straight to where it stays, so the peak is what is returned and little more. Nothing returned
    refers to the file, so replacing or deleting it later is harmless. ModelFileError where the file
    cannot be read.
    """
    tensors: dict[str, Tensor] = {}
    try:
        for part in _parts(header, names):
            with ExitStack() as opened:
                get = _getter(header, opened)
                for name in part:
                    stored = make_tensor(names[name], get)
                    wanted = dtype if dtype is not None and stored.is_floating_point() else stored.dtype
                    tensors[name] = stored.to(device, wanted, copy=True)
                    del stored  # it keeps the map open
    except (OSError, SafetensorError) as error:
        raise ModelFileError(
            f"{header.path} changed or vanished while it was read: {error}",
            code="model_file_unreadable",
            remedy="Check the file, then run again.",
        ) from error
    return tensors


def _getter(header: Header, opened: ExitStack) -> Callable[[str], Tensor]:
    """What gives tensors by name; the files that hold them stay open until the stack ends."""
    files: dict[Path, Any] = {}

    def get(name: str) -> Tensor:
        path = header.tensors[name].shard or header.path
        if path not in files:
            files[path] = opened.enter_context(safe_open(path, framework="pt", device="cpu"))
        tensor: Tensor = files[path].get_tensor(name)
        return tensor

    return get


def make_tensor(source: TensorSource, get: Callable[[str], Tensor]) -> Tensor:
    """The tensor that a source describes; `get` gives tensors of the file. A view where that is possible."""
    scales = source.scales or (None,) * len(source.names)
    parts = [_scaled(get(name), scale, get) for name, scale in zip(source.names, scales, strict=True)]
    if len(parts) > 1:  # no operation on the eight-bit types but conversion is to be had everywhere
        parts = [part.float() if part.dtype.itemsize == 1 else part for part in parts]
    tensor = parts[0] if len(parts) == 1 else torch.cat(parts)
    if source.rows is not None:
        index, count = source.rows
        tensor = tensor.chunk(count)[index]
    if source.swapped:
        tensor = torch.cat(tensor.chunk(2)[::-1])
    if source.transposed:
        tensor = tensor.T
    if source.rank:
        shape = tensor.shape[: source.rank]
        tensor = tensor.reshape(*shape, *(1 for _ in range(source.rank - len(shape))))
    return tensor


def _scaled(stored: Tensor, scale: str | None, get: Callable[[str], Tensor]) -> Tensor:
    """The tensor times its factor: one number, or one for every row. float32, whatever was stored."""
    if scale is None:
        return stored
    factor = get(scale).float()
    if factor.numel() > 1:
        factor = factor.reshape(-1, *(1 for _ in stored.shape[1:]))
    return stored.float() * factor


def _parts(header: Header, names: Sources) -> Iterator[list[str]]:
    """The names in the order in which the file holds them, cut where a part would map too much."""
    infos = {name: [header.tensors[each] for each in source.names] for name, source in names.items()}
    part: list[str] = []
    size = 0
    for name in sorted(names, key=lambda name: (str(infos[name][0].shard), infos[name][0].begin)):
        amount = sum(info.end - info.begin for info in infos[name])
        if part and size + amount > MAPPED_BYTES:
            yield part
            part, size = [], 0
        part.append(name)
        size += amount
    if part:
        yield part


def assign(module: M, tensors: Tensors, header: Header) -> M:
    """The module with the tensors as its parameters (not copies), in evaluation mode, without gradients.

    ModelFileError names the first tensors that are missing or have another shape than the network's.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    missing = sorted(expected.keys() - tensors.keys())
    wrong = [name for name in expected if name in tensors and tuple(tensors[name].shape) != expected[name]]
    if missing or wrong:
        first = (missing or wrong)[0]
        raise ModelFileError(
            f"{header.path} does not hold the network that its names announce",
            code="model_file_incomplete",
            expected=f"'{first}' of shape {list(expected[first])}",
            found=f"{len(missing)} tensors missing" if missing else f"shape {list(tensors[first].shape)}",
            remedy="The file was damaged or made by a faulty converter: get it from another source.",
        )
    module.load_state_dict({name: tensors[name] for name in expected}, assign=True)
    return module.eval().requires_grad_(False)


def byte_size(tensors: Tensors) -> int:
    """Bytes that the tensors hold, each storage counted once."""
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors.values()
    }
    return sum(storages.values())
