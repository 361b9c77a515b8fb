"""Give live denoisers their stepper, and weights their layout."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

import torch
from torch import Tensor

from nodegraph.diffusion.acceleration.captured import Recorder
from nodegraph.diffusion.acceleration.cuda import CudaRecorder
from nodegraph.diffusion.acceleration.modes import Acceleration, acceleration_named
from nodegraph.diffusion.acceleration.stepper import Keep, Stepper
from nodegraph.diffusion.denoiser import NetworkDenoiser

log = logging.getLogger(__name__)


class Accelerator:
    """What was asked for, and what this device can do of it.

    name: see `acceleration_named`; recorder: what captures steps (None: a CUDA device's own, and none
    elsewhere); backend: torch's compiler.
    """

    def __init__(
        self, name: str, device: torch.device, recorder: Recorder | None = None, backend: str = "inductor"
    ) -> None:
        """InputError: there is no acceleration of such a name."""
        self.asked: Acceleration = acceleration_named(name)
        self._backend = backend
        self._recorder = recorder
        if recorder is None and device.type == "cuda":
            self._recorder = CudaRecorder(device)

    def attach(
        self, live: object, patched: Collection[str], *, streamed: bool, keep: Keep,
        count: Callable[[str, int], None],
    ) -> None:  # fmt: skip
        """Let a live denoiser call its network through a stepper, where anything is asked for."""
        if not self.asked.steps:
            return
        if not isinstance(live, NetworkDenoiser):
            log.warning("a %s calls its network itself and is not accelerated", type(live).__name__)
            return
        live.call = Stepper(
            live.network, patched, self.asked, streamed=streamed, recorder=self._recorder, keep=keep,
            count=count, backend=self._backend,
        )  # fmt: skip

    def laid_out(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The weights of a denoiser as they are to lie in memory: one by one, so the peak is theirs."""
        if self.asked.channels_last:
            for name, tensor in tensors.items():
                if tensor.dim() == 4:
                    tensors[name] = tensor.contiguous(memory_format=torch.channels_last)
        return tensors
