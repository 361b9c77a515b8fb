"""Every network can be compiled whole and captured; 16 bits and a GPU compute what float32 on a CPU does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.gpu_models import SMALL, our_network
from nodegraph.diffusion.acceleration.captured import CapturedStep, Recorder, Recording
from nodegraph.diffusion.acceleration.cuda import WARM_UP, CudaRecorder
from nodegraph.diffusion.acceleration.modes import acceleration_named
from nodegraph.diffusion.acceleration.shelf import Wanted
from nodegraph.diffusion.acceleration.stepper import Stepper
from tests.diffusion.small_models import randomise

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
ON_BOTH = pytest.mark.parametrize("device", [CPU, pytest.param(CUDA, marks=pytest.mark.gpu)], ids=str)
TOLERANCE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""Relative error of a whole network; of float32 because convolutions on a GPU may round to TF32."""

Arguments = tuple[Any, ...]


def small(name: str, seed: int = 1) -> tuple[nn.Module, Arguments]:
    """A network with weights of that seed, float32 on the CPU, and arguments for it."""
    network, arguments = our_network(SMALL[name], CPU)
    randomise(network, seed)
    return network, arguments


def moved(arguments: Arguments, device: torch.device, dtype: torch.dtype) -> Arguments:
    """Arguments on a device; pictures and tokens in that dtype, levels and scales stay float32."""

    def move(argument: Any) -> Any:
        if isinstance(argument, Tensor):
            return argument.to(device, dtype if argument.dim() > 1 else argument.dtype)
        return [move(item) for item in argument] if isinstance(argument, list) else argument

    return tuple(map(move, arguments))


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found.float().cpu() - expected).norm() / expected.norm())


class Steps:
    """Steppers of one store: what is captured is kept for all of them."""

    def __init__(self, names: str, recorder: Recorder | None = None, backend: str = "inductor") -> None:
        self.counts: dict[str, int] = {}
        self._kept: dict[Hashable, CapturedStep] = {}
        self._asked, self._recorder, self._backend = acceleration_named(names), recorder, backend

    def of(self, network: nn.Module, patched: tuple[str, ...] = ()) -> Stepper:
        return Stepper(
            network, patched, self._asked, streamed=False, recorder=self._recorder, keep=self._keep,
            count=self._count, backend=self._backend,
        )  # fmt: skip

    @contextmanager
    def _keep(self, wanted: Wanted) -> Iterator[CapturedStep]:
        key = wanted.signature, wanted.patched
        if key not in self._kept:
            self._kept[key] = wanted.build(wanted.patched)
        yield self._kept[key]

    def _count(self, name: str, amount: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + amount


@ON_BOTH
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_sixteen_bits_and_other_devices_compute_what_float32_on_a_cpu_does(
    name: str, dtype: torch.dtype, device: torch.device
) -> None:
    network, arguments = small(name)
    expected = network(*arguments)
    found = network.to(device, dtype)(*moved(arguments, device, dtype))
    assert found.dtype == dtype
    assert relative_error(found, expected) <= TOLERANCE[dtype]


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_a_network_is_one_graph_whatever_its_weights(name: str) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    steps = Steps("compile", backend="eager")
    for seed in (1, 2, 3):
        network, arguments = small(name, seed)
        assert torch.equal(steps.of(network)(*arguments), network(*arguments))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert not torch._dynamo.utils.counters["graph_break"]
    assert steps.counts == {"compiled_steps": 3}


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_a_gpu_replays_what_it_computes_eagerly(name: str, dtype: torch.dtype) -> None:
    steps = Steps("graphs", CudaRecorder(CUDA))
    network, arguments = small(name)
    network = network.to(CUDA, dtype)
    other = small(name, 2)[0].to(CUDA, dtype)  # every weight but the shared ones differs
    patched = tuple(key for key, tensor in network.named_parameters() if tensor.dim() == 2)
    for key, tensor in network.named_parameters():
        if key not in patched:
            other.get_parameter(key).copy_(tensor)
    for shift, (weights, own) in enumerate(
        [(network, ()), (network, ()), (network, patched), (other, patched)]
    ):
        given = moved(tuple(shifted(each, shift) for each in arguments), CUDA, dtype)
        found, expected = steps.of(weights, own)(*given), weights(*given)
        assert relative_error(found, expected.float().cpu()) <= TOLERANCE[dtype] / 10
    assert steps.counts == {"captures": 2, "replayed_steps": 4}


def shifted(argument: Any, amount: int) -> Any:
    return argument + 0.1 * amount if isinstance(argument, Tensor) else argument


@pytest.mark.gpu
@pytest.mark.parametrize("names", ["compile", "compile,graphs"])
@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_a_gpu_compiles_a_network_once_whatever_its_weights(name: str, names: str) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    steps = Steps(names, CudaRecorder(CUDA))
    for seed in (1, 2):
        network, arguments = small(name, seed)
        network, given = network.to(CUDA), moved(arguments, CUDA, torch.float32)
        patched = tuple(key for key, _ in network.named_parameters())
        assert relative_error(steps.of(network, patched)(*given), network(*given).cpu()) <= 1e-3
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert "eager_steps" not in steps.counts
    assert steps.counts.get("captures", 1) == 1


class Greedy:
    """Records as the device does, but asks it for more than it has, in the warm-up or in the capture."""

    def __init__(self, *, while_capturing: bool) -> None:
        self._after = WARM_UP if while_capturing else 0

    def record(self, work: Callable[[], Tensor]) -> Recording:
        calls = 0

        def more() -> Tensor:
            nonlocal calls
            calls += 1
            if calls > self._after:
                torch.empty(2**50, dtype=torch.uint8, device=CUDA)
            return work()

        return CudaRecorder(CUDA).record(more)


@pytest.mark.gpu
@pytest.mark.parametrize("while_capturing", [False, True])
@torch.no_grad()
def test_a_capture_that_the_gpu_has_no_memory_for_leaves_eager_steps(*, while_capturing: bool) -> None:
    steps = Steps("graphs", Greedy(while_capturing=while_capturing))
    network, arguments = small("sd15")
    stepper = steps.of(network.to(CUDA))
    given = moved(arguments, CUDA, torch.float32)
    for _ in range(3):
        assert relative_error(stepper(*given), network(*given).cpu()) <= 1e-5
    assert steps.counts == {"captures": 1, "eager_steps": 3}
    (way,) = stepper.ways()  # in a capture the device may tell of it in other words
    assert way.startswith("eager: the device ran out of memory" if not while_capturing else "eager: the ")


WAITS = """
import torch
from torch import nn
from tests.diffusion.test_accelerated_networks import CUDA, CudaRecorder, Steps

class Waits(nn.Linear):
    def forward(self, x):
        return super().forward(x) * float(x.sum())  # the device is waited for, which a capture forbids

network, x = Waits(4, 4).to(CUDA), torch.ones(2, 4, device=CUDA)
steps = Steps("graphs", CudaRecorder(CUDA))
with torch.no_grad():
    stepper = steps.of(network)
    for _ in range(2):
        assert torch.equal(stepper(x), network(x))
assert stepper.ways() == {"eager: the step cannot be captured": 2}, stepper.ways()
"""


@pytest.mark.gpu
def test_what_waits_for_the_gpu_runs_eagerly() -> None:
    """In a process of its own: should the device not recover from that, no other test suffers."""
    command, root = [sys.executable, "-c", WAITS], Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
