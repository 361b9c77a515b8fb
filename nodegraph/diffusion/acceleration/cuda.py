"""Records CUDA graphs (docs.pytorch.org, "CUDA semantics", section "CUDA Graphs")."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nodegraph.diffusion.acceleration.captured import Recording

WARM_UP = 3
"""Calls before the capture: kernels are chosen and compiled in them, which a capture may not do."""


class CudaRecorder:
    """Records CUDA graphs on one device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def record(self, work: Callable[[], Tensor]) -> Recording:
        """RuntimeError where the work cannot be captured; torch.OutOfMemoryError where there is no room."""
        beside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call] # torch leaves it untyped
        current = torch.cuda.current_stream(self._device)
        with torch.cuda.device(self._device):
            beside.wait_stream(current)
            with torch.cuda.stream(beside):
                for _ in range(WARM_UP):
                    work()
            current.wait_stream(beside)
            # What the warm-up left in torch's cache must not be counted, nor hide what the graph takes.
            torch.cuda.synchronize(self._device)
            torch.cuda.empty_cache()
            before = torch.cuda.memory_reserved(self._device)
            graph = torch.cuda.CUDAGraph()
            # Other threads may load weights meanwhile: that is no part of the capture, and no reason to fail.
            with torch.cuda.graph(graph, stream=beside, capture_error_mode="thread_local"):
                result = work()
            current.wait_stream(beside)
        return _CudaRecording(graph, result, max(0, torch.cuda.memory_reserved(self._device) - before))


class _CudaRecording:
    def __init__(self, graph: torch.cuda.CUDAGraph, result: Tensor, size: int) -> None:
        self._graph = graph
        self.result = result
        self.bytes = size

    def replay(self) -> None:
        self._graph.replay()
