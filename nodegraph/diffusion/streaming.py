"""Run a network whose weights do not fit: its blocks come to the device when they are needed, and leave.

While a block runs, the next one is on its way (a second CUDA stream on a GPU, a thread elsewhere). The
operations and their order are those of the resident network, so results are the same bits.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

_BLOCK = re.compile(r"^((?:[^.]+\.)*?\d+)\.")

Read = Callable[[], dict[str, Tensor]]
Wait = Callable[[], dict[str, Tensor]]


def block_of(name: str) -> str | None:
    """The block that a tensor belongs to: its name up to the first number, as in `input_blocks.3`.

    Blocks are the elements of module lists; None for a tensor outside them, which stays resident.
    """
    match = _BLOCK.match(name)
    return match[1] if match else None


def blocks_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Tensor names by block, in the order of the names, which is the order in which a file lists them."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=_natural):
        block = block_of(name)
        if block is not None:
            groups.setdefault(block, []).append(name)
    return groups


def placeholder(shape: Iterable[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """A tensor of that shape that takes one element: NaN, so that its use could never go unnoticed."""
    return torch.full((1,), float("nan")).to(device, dtype).expand(tuple(shape))


class Courier(Protocol):
    """What brings blocks to the device, beside the computation."""

    def send(self, read: Read) -> Wait:
        """Start bringing what `read` gives; the answer waits for it and gives it."""
        ...

    def close(self) -> None:
        """Stop; what is on its way is dropped."""
        ...


class ThreadCourier:
    """Brings blocks in one thread; on a CUDA device through a stream of its own."""

    def __init__(self, device: torch.device) -> None:
        self._pool = ThreadPoolExecutor(1, "weights")
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call] # torch leaves it untyped

    def send(self, read: Read) -> Wait:
        future = self._pool.submit(self._bring, read)

        def wait() -> dict[str, Tensor]:
            tensors, arrived = future.result()
            if arrived is not None:
                current = torch.cuda.current_stream()
                current.wait_event(arrived)
                for tensor in tensors.values():
                    tensor.record_stream(current)  # it was allocated on the other stream
            return tensors

        return wait

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @torch.no_grad()
    def _bring(self, read: Read) -> tuple[dict[str, Tensor], torch.cuda.Event | None]:
        if self._stream is None:
            return read(), None
        with torch.cuda.stream(self._stream):
            tensors = read()
            event = torch.cuda.Event()  # type: ignore[no-untyped-call] # torch leaves it untyped
            event.record()
        return tensors, event


class Streamer:
    """Feeds the streamed blocks of live modules. `lock` is held by the one user that it can have at a time.

    The order of the blocks is learnt from the calls: the first time it is that of the names.
    """

    def __init__(
        self,
        live: object,
        placeholders: Mapping[str, Tensor],
        fetch: Callable[[list[str]], dict[str, Tensor]],
        courier: Courier,
        ahead: int = 2,
        count: Callable[[str, int], None] = lambda name, amount: None,  # noqa: ARG005 - counts nothing
    ) -> None:
        """placeholders: what stands in the modules for the streamed tensors; fetch brings some of those."""
        self.lock = threading.RLock()
        self._fetch, self._courier, self._ahead, self._count = fetch, courier, ahead, count
        self._slots, modules = _find(live, placeholders)
        self._blocks = blocks_of(self._slots)
        order = list(self._blocks)
        self._next = dict(zip(order, order[1:] + order[:1], strict=True))
        self._last: str | None = None
        self._coming: tuple[str, Wait] | None = None
        self._here: set[str] = set()
        for block, module in modules.items():
            module.register_forward_pre_hook(partial(self._before, block))
            module.register_forward_hook(partial(self._after, block))

    def drain(self) -> None:
        """Take every streamed block off the device."""
        self._drop_coming()
        for block in list(self._here):
            self._remove(block)
        self._last = None

    def close(self) -> None:
        """Drain, and stop the courier."""
        self.drain()
        self._courier.close()

    def _before(self, block: str, module: nn.Module, args: Any) -> None:  # noqa: ARG002 - a hook's signature
        if self._last is not None:
            self._next[self._last] = block
        self._last = block
        if self._coming is not None and self._coming[0] != block:
            self._drop_coming()
            self._count("misguided_blocks", 1)
        if self._coming is None:
            self._send(block)
        self._arrive()
        following = self._next[block]
        if self._ahead > 1 and following != block:
            self._send(following)

    def _after(self, block: str, module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG002 - as above
        self._remove(block)

    def _send(self, block: str) -> None:
        self._coming = block, self._courier.send(partial(self._fetch, self._blocks[block]))
        self._count("streamed_blocks", 1)

    def _arrive(self) -> None:
        if self._coming is None:
            return
        (block, wait), self._coming = self._coming, None
        for name, tensor in wait().items():
            for module, attribute, _ in self._slots[name]:
                module._parameters[attribute] = nn.Parameter(tensor, requires_grad=False)
        self._here.add(block)

    def _remove(self, block: str) -> None:
        for name in self._blocks[block]:
            for module, attribute, stand_in in self._slots[name]:
                module._parameters[attribute] = stand_in
        self._here.discard(block)

    def _drop_coming(self) -> None:
        if self._coming is not None:
            (_, wait), self._coming = self._coming, None
            wait()


def modules_of(live: object, depth: int = 3) -> Iterator[nn.Module]:
    """The networks that a live object holds, directly or in objects of its own."""
    if isinstance(live, nn.Module):
        yield live
    elif depth and isinstance(live, (list, tuple)):
        for item in live:
            yield from modules_of(item, depth - 1)
    elif depth and hasattr(live, "__dict__"):
        for item in vars(live).values():
            yield from modules_of(item, depth - 1)


Slot = tuple[nn.Module, str, nn.Parameter]


def _find(
    live: object, placeholders: Mapping[str, Tensor]
) -> tuple[dict[str, list[Slot]], dict[str, nn.Module]]:
    """Tensor name -> where its placeholder stands (a network may use it twice), and block -> its module.

    Tensors that the network does not have (of layers that are skipped) are left out.
    """
    names = {tensor.data_ptr(): name for name, tensor in placeholders.items()}
    slots: dict[str, list[Slot]] = {}
    blocks: dict[str, nn.Module] = {}
    for root in modules_of(live):
        modules = dict(root.named_modules())
        for path, module in modules.items():
            for attribute, parameter in module._parameters.items():
                name = names.get(parameter.data_ptr()) if parameter is not None else None
                if name is None or parameter is None:
                    continue
                slots.setdefault(name, []).append((module, attribute, parameter))
                block = str(block_of(name))
                inner = name[len(block) :].removesuffix(f".{attribute}")  # "" or ".attn.to_q"
                blocks[block] = modules[path.removesuffix(inner)]
    return slots, blocks


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]
