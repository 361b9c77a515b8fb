"""A denoiser step that is captured once and replayed: one launch instead of thousands.

A CUDA graph replays kernels on fixed addresses. So a captured step has inputs of its own, which are written
before each replay, and reads the weights of its network where they lie. Weights that patches change are
copies of its own too: another strength, another LoRA or none is written into them, and nothing is captured
again.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from nodegraph.diffusion.acceleration.arguments import fill, held_copies, tensors_in

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


class CapturedStep:
    """One step of a network for arguments of one signature. Thread-safe.

    It serves every network over the same base weights that differs from it in the weights named `own`, of
    which it has copies. `prepare` turns its copy of the network into what is recorded: that, or compiled.
    """

    def __init__(
        self, network: nn.Module, own: Collection[str], arguments: Sequence[Any], recorder: Recorder,
        prepare: Callable[[nn.Module], Call],
    ) -> None:  # fmt: skip
        self._lock = threading.Lock()
        self._inputs = held_copies(arguments)
        copied, self._weights = _with_own_weights(network, own)
        self._owner: object = None
        call = prepare(copied)
        self._recording = recorder.record(lambda: call(*self._inputs))
        inputs = sum(tensor.nbytes for tensor in tensors_in(self._inputs))
        self.bytes = self._recording.bytes + inputs + weights_bytes(network, own)

    def __call__(self, owner: object, network: nn.Module, arguments: Sequence[Any]) -> Tensor:
        """That network's result, in memory of its own. owner: tells its weights from those of other calls."""
        with self._lock:
            if self._owner is not owner:
                for name, tensor in self._weights.items():
                    tensor.copy_(network.get_parameter(name))
                self._owner = owner
            fill(self._inputs, arguments)
            self._recording.replay()
            return self._recording.result.clone()


def weights_bytes(network: nn.Module, names: Collection[str]) -> int:
    """What copies of these weights take."""
    return sum(network.get_parameter(name).nbytes for name in names)


def _with_own_weights(network: nn.Module, names: Collection[str]) -> tuple[nn.Module, dict[str, Tensor]]:
    """A network over the same tensors, but for copies of the named weights; and these by name."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    own = copy.deepcopy(network, dict(shared))
    weights: dict[str, Tensor] = {}
    for name in names:
        module_name, _, attribute = name.rpartition(".")
        weight = network.get_parameter(name).detach().clone()
        own.get_submodule(module_name)._parameters[attribute] = nn.Parameter(weight, requires_grad=False)
        weights[name] = weight
    return own, weights
