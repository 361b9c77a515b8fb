"""When memory runs out in the middle of a computation: whether it did, what was needed, and what is free."""

from __future__ import annotations

import gc
import re

import psutil
import torch

from nodegraph.runtime import Shortage

_SIZES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_WANTED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|KiB|MiB|GiB|TiB)", re.IGNORECASE)
_ON_HOST = re.compile(r"can't allocate memory|not enough memory", re.IGNORECASE)


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that memory of the device or the host ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and _ON_HOST.search(str(error)) is not None


def shortage_of(error: BaseException, device: torch.device, freed: int) -> Shortage:
    """What was wanted, as far as the error says so, and what is free on its side now, in bytes."""
    found = _WANTED.search(str(error))
    wanted = int(float(found[1]) * _SIZES[_unit(found[2])]) if found is not None else None
    on_device = isinstance(error, torch.OutOfMemoryError) and device.type == "cuda"
    return Shortage(str(device) if on_device else "main memory", wanted, free_bytes(device, on_device), freed)


def free_bytes(device: torch.device, on_device: bool) -> int:
    """What can be taken, after what nobody holds was given back."""
    gc.collect()
    if on_device:
        torch.cuda.empty_cache()
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def _unit(text: str) -> str:
    return next(unit for unit in _SIZES if unit.lower() == text.lower())
