"""Choose device and dtypes from what a user asks for and what the machine has."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psutil
import torch

from nodegraph.errors import InputError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Precision:
    """The dtype in which each component computes."""

    denoiser: torch.dtype
    text: torch.dtype
    vae: torch.dtype


def choose_device(name: str = "auto") -> torch.device:
    """`auto` (the first CUDA GPU, else Apple's GPU, else the CPU), `cpu`, `mps`, `cuda` or `cuda:N`.

    InputError: an unknown name, or a device that this machine or this build of torch does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise _unavailable(name, "this machine has no Apple GPU that torch can use")
        return torch.device("mps")
    match = re.fullmatch(r"cuda(?::(\d{1,4}))?", name)
    if match is None:
        raise InputError(
            "the device is unknown",
            input="device",
            expected="auto, cpu, mps, cuda or cuda:N",
            found=f"'{name}'",
        )
    if not torch.cuda.is_available():
        reason = "this build of torch has no CUDA" if torch.version.cuda is None else "there is no CUDA GPU"
        raise _unavailable(name, reason)
    index, count = int(match[1] or 0), torch.cuda.device_count()
    if index >= count:
        raise _unavailable(name, f"the highest is cuda:{count - 1}")
    return torch.device("cuda", index)


def _unavailable(name: str, reason: str) -> InputError:
    return InputError(
        f"the device '{name}' is not available: {reason}",
        code="device_unavailable",
        input="device",
        remedy="Use 'auto' or 'cpu'.",
    )


def choose_precision(name: str, device: torch.device) -> Precision:
    """`auto`, `float32`, `float16` or `bfloat16` for a device; InputError for other names.

    auto computes in float32 on a CPU. On a GPU the denoiser, where nearly all the time goes, computes in
    float16; the text encoder runs once per prompt and the autoencoder of some families overflows in
    float16, so both stay in float32. A named dtype is that of the denoiser and the text encoder; the
    autoencoder follows it only to bfloat16, whose range is that of float32.
    """
    if name == "auto":
        half = torch.float32 if device.type == "cpu" else torch.float16
        return Precision(denoiser=half, text=torch.float32, vae=torch.float32)
    if name not in DTYPES:
        raise InputError(
            "the dtype is unknown", input="dtype", expected=f"auto, {', '.join(DTYPES)}", found=f"'{name}'"
        )
    chosen = DTYPES[name]
    return Precision(denoiser=chosen, text=chosen, vae=chosen if chosen is torch.bfloat16 else torch.float32)


def choose_attention(device: torch.device) -> str:  # noqa: ARG001 - one answer for every device so far
    """The attention backend of a device: `sdpa`, torch's own, which picks the fastest kernel that fits.

    On CUDA that is FlashAttention or the memory-efficient kernel, on a CPU its flash kernel, elsewhere the
    plain formula. The name is part of the profile, so that another backend would have other keys.
    """
    return "sdpa"


def execution_profile(device: torch.device, precision: Precision) -> str:
    """What, besides its inputs, decides the bits of a result: equal strings promise equal bits.

    Device class, dtype of each component, attention backend, torch major.minor; for example
    `cpu float32 float32 float32 sdpa torch2.13`.
    """
    kind = device.type
    if kind == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        kind = f"cuda-sm{major}{minor}"
    names = [
        str(dtype).removeprefix("torch.") for dtype in (precision.denoiser, precision.text, precision.vae)
    ]
    version = ".".join(torch.__version__.split(".")[:2])
    return " ".join([kind, *names, choose_attention(device), f"torch{version}"])


def free_bytes(device: torch.device) -> int:
    """Memory that a computation on the device can have now, what torch's allocator keeps unused included."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + unused)
    return int(psutil.virtual_memory().available)


def computes(device: torch.device) -> bool:
    """Whether a small computation on the device succeeds: after some errors of a GPU none does any more."""
    try:
        return float(torch.ones(1, device=device).add(1)) == 2.0
    except RuntimeError:
        return False
