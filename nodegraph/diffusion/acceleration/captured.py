"""A denoiser step that is captured once and replayed: one launch instead of thousands.

A CUDA graph replays kernels on fixed addresses. So a captured step has inputs of its own, which are written
before each replay, and reads the weights of its network where they lie. Weights that patches change are
copies of its own too: another strength, or another LoRA for the same weights, is written into them, and
nothing is captured again.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nodegraph.diffusion.acceleration.arguments import fill, held_copies

WARM_UP = 3
"""Calls before the capture: kernels are chosen and compiled in them, which a capture may not do."""

Call = Callable[..., Tensor]


class Recording(Protocol):
    """A recorded computation: its result, and the memory that only it uses."""

    @property
    def result(self) -> Tensor: ...

    @property
    def bytes(self) -> int: ...

    def replay(self) -> None:
        """Compute the result again from what its inputs hold now."""
        ...


class Recorder(Protocol):
    """What records computations on a device."""

    def record(self, work: Callable[[], Tensor]) -> Recording:
        """Run `work` often enough to be ready, and record it."""
        ...


class CudaRecorder:
    """Records CUDA graphs on one device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def record(self, work: Callable[[], Tensor]) -> Recording:
        before = torch.cuda.memory_reserved(self._device)
        beside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call] # torch leaves it untyped
        beside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP):
                work()
        torch.cuda.current_stream(self._device).wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = work()
        return _CudaRecording(graph, result, max(0, torch.cuda.memory_reserved(self._device) - before))


class _CudaRecording:
    def __init__(self, graph: torch.cuda.CUDAGraph, result: Tensor, size: int) -> None:
        self._graph = graph
        self.result = result
        self.bytes = size

    def replay(self) -> None:
        self._graph.replay()


class CapturedStep:
    """One step of a network for arguments of one signature. Thread-safe.

    `prepare` turns its copy of the network into what is recorded: the network itself, or compiled.
    """

    def __init__(
        self, network: nn.Module, patched: Mapping[str, Tensor], arguments: Sequence[Any],
        recorder: Recorder, prepare: Callable[[nn.Module], Call], owner: object,
    ) -> None:  # fmt: skip
        """owner: tells these patched weights from others, as in a call."""
        self._lock = threading.Lock()
        self._inputs = held_copies(arguments)
        own, self._weights = _with_own_weights(network, patched)
        self._owner = owner
        call = prepare(own)
        self._recording = recorder.record(lambda: call(*self._inputs))
        weights = sum(tensor.nbytes for tensor in self._weights.values())
        self.bytes = self._recording.bytes + weights

    def __call__(self, owner: object, patched: Mapping[str, Tensor], arguments: Sequence[Any]) -> Tensor:
        """The network's result with the patched weights of this owner, in memory of its own."""
        with self._lock:
            if self._owner is not owner:
                for name, tensor in self._weights.items():
                    tensor.copy_(patched[name])
                self._owner = owner
            fill(self._inputs, arguments)
            self._recording.replay()
            return self._recording.result.clone()


def _with_own_weights(
    network: nn.Module, patched: Mapping[str, Tensor]
) -> tuple[nn.Module, dict[str, Tensor]]:
    """A network over the same weights, but for copies of the patched ones; and these by name."""
    shared = {id(parameter): parameter for parameter in network.parameters()}
    own = copy.deepcopy(network, dict(shared))
    weights: dict[str, Tensor] = {}
    for name in patched:
        module_name, _, attribute = name.rpartition(".")
        module = own.get_submodule(module_name)
        weight = module.get_parameter(attribute).detach().clone()
        module._parameters[attribute] = nn.Parameter(weight, requires_grad=False)
        weights[name] = weight
    return own, weights
