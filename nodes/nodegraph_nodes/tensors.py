"""Tensors in safetensors files, for the engine's disk cache, and digests of what tensors hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nodegraph.errors import InputError

_META = "nodegraph"


class SafetensorsStore:
    """A `TensorStore`: tensors of any device are written from, and read into, the host's memory."""

    def write(self, path: Path, tensors: Mapping[str, Tensor], meta: str) -> None:
        # Each tensor gets bytes of its own: the format allows no two names for the same ones.
        own = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
        # Not `save_file`: it writes another file first, which a kill would leave behind.
        path.write_bytes(save(own, {_META: meta}))

    def read(self, path: Path) -> tuple[Mapping[str, Tensor], str]:
        try:
            with safe_open(path, "pt") as file:
                # Copied out of the mapped file: another process may remove or truncate that at any time.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no dict
                meta = (file.metadata() or {}).get(_META, "")
        except (OSError, SafetensorError) as error:
            raise InputError(f"'{path}' cannot be read: {error}", code="broken_entry") from error
        return tensors, meta

    def digest(self, tensor: Tensor) -> str:
        content = tensor.detach().cpu().contiguous()
        digest = hashlib.blake2b(f"{content.dtype} {list(content.shape)}".encode(), digest_size=20)
        digest.update(content.reshape(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()
