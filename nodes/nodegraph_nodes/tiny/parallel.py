"""Several one-thread processes that train one model by averaging their gradients.

One process with two threads waits at every small kernel for the slower thread; where other programs use the
cores, that wait dominates. Independent processes meet once per step only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec

import torch
from torch import Tensor, distributed, multiprocessing

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of a run, and how it speaks with the others."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process prints and saves."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its mean over the processes, in one message."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        offset = 0
        for gradient in gradients:
            gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
            offset += gradient.numel()

    def agree(self, value: float) -> float:
        """The first process's value: all stop at the same step although their clocks differ."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared.item())

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in order of rank; every process must give equally many."""
        if self.count == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.count)]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)


def _enter(
    rank: int,
    count: int,
    meeting: str,
    function: Callable[Concatenate[Worker, P], None],
    args: tuple[object, ...],
) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)
    try:
        function(Worker(rank, count), *args)  # type: ignore[call-arg, arg-type]
    finally:
        distributed.destroy_process_group()


def run(
    processes: int, function: Callable[Concatenate[Worker, P], None], *args: P.args, **_: P.kwargs
) -> None:
    """Call ``function(worker, *args)`` in as many processes; with one, in this process.

    ``function`` must be importable by name, its arguments picklable.
    """
    if processes == 1:
        torch.set_num_threads(1)
        function(Worker(), *args)  # type: ignore[call-arg]
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        multiprocessing.spawn(  # type: ignore[no-untyped-call, attr-defined]
            _enter, args=(processes, meeting, function, args), nprocs=processes, join=True
        )
