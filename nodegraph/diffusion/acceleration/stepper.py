"""Calls a denoiser's network the fastest way that is right, and says which way that was.

A step is replayed where it was captured, else runs compiled, else eagerly. What makes it run eagerly though
something faster was asked for is told once, in words, and counted; nothing degrades silently.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nodegraph.diffusion.acceleration.arguments import signature_of
from nodegraph.diffusion.acceleration.captured import Call, CapturedStep, Recorder
from nodegraph.diffusion.acceleration.modes import Acceleration
from nodegraph.diffusion.placement import ModelMemoryError

log = logging.getLogger(__name__)
Build = Callable[[], CapturedStep]
COMPILED_SHAPES = 64
"""Versions of one network that torch keeps compiled; it gives up after 8 where it is not told otherwise."""


class Keep(Protocol):
    """Holds a captured step of the memory budget while it is used, building it where it is not there."""

    def __call__(self, key: Hashable, build: Build) -> AbstractContextManager[CapturedStep]: ...


class Stepper:
    """Stands where a denoiser calls its network.

    patched: the weights that differ from the file's, by name; streamed: whether blocks come and go while
    the network runs; recorder: None where the device cannot capture; keep: see `Keep`; count: counts
    `eager_steps`, `compiled_steps`, `captures` and `replayed_steps`.
    """

    def __init__(
        self, network: nn.Module, patched: Mapping[str, Tensor], acceleration: Acceleration, *,
        streamed: bool, recorder: Recorder | None, keep: Keep, count: Callable[[str, int], None],
        backend: str = "inductor",
    ) -> None:  # fmt: skip
        self._network = network
        self._patched = patched
        self._names = frozenset(patched)
        self._owner = object()  # tells the captured step whose weights it holds, without keeping ours alive
        self._asked = acceleration
        self._streamed = streamed
        self._recorder = recorder
        self._keep = keep
        self._count = count
        self._backend = backend
        self._modules = list(network.modules())
        self._compiled: Call | None = None
        self._failed: set[Hashable] = set()
        self._told: set[str] = set()

    def __call__(self, *arguments: Any) -> Tensor:
        """The network's result for these arguments."""
        reason = self._why_eager()
        if not reason and self._asked.graphs:
            result = self._replayed(arguments)
            if result is not None:
                return result
        if not reason and self._asked.compile:
            result = self._through_compiler(arguments)
            if result is not None:
                return result
        if reason:
            self._tell(reason)
        self._count("eager_steps", 1)
        eager: Tensor = self._network(*arguments)
        return eager

    def _why_eager(self) -> str:
        """What forbids every faster way; empty where nothing does."""
        if self._streamed:
            return "the model is streamed through the device"
        if any(module._forward_pre_hooks or "forward" in module.__dict__ for module in self._modules):
            return "guidance changes the network while it runs"
        return ""

    def _replayed(self, arguments: tuple[Any, ...]) -> Tensor | None:
        """The result of a captured step; None where there can be none."""
        if self._recorder is None:
            self._tell("steps can be captured on CUDA devices only")
            return None
        signature = signature_of(arguments)
        if signature in self._failed:
            return None
        recorder = self._recorder

        def build() -> CapturedStep:
            self._count("captures", 1)
            return CapturedStep(
                self._network, self._patched, arguments, recorder, self._prepared, self._owner
            )

        try:
            with self._keep((self._names, self._asked, signature), build) as step:
                result = step(self._owner, self._patched, arguments)
        except ModelMemoryError as error:
            self._failed.add(signature)
            self._tell(f"there is no room for a captured step: {error}")
            return None
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._failed.add(signature)
            self._tell(f"the step cannot be captured: {error}")
            return None
        self._count("replayed_steps", 1)
        return result

    def _prepared(self, network: nn.Module) -> Call:
        return self._compile(network) if self._asked.compile else network

    def _compile(self, network: nn.Module) -> Call:
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, COMPILED_SHAPES)
        compiled: Call = torch.compile(network, dynamic=False, fullgraph=True, backend=self._backend)
        return compiled

    def _through_compiler(self, arguments: tuple[Any, ...]) -> Tensor | None:
        """The compiled network's result; None where it cannot be compiled."""
        if "compiler" in self._failed:
            return None
        try:
            if self._compiled is None:
                self._compiled = self._compile(self._network)
            result = self._compiled(*arguments)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - compilers fail in many ways; the step need not
            self._failed.add("compiler")
            self._tell(
                f"the network cannot be compiled: {str(error).splitlines()[0] if str(error) else error!r}"
            )
            return None
        self._count("compiled_steps", 1)
        return result

    def _tell(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            log.warning("steps run without the acceleration that was asked for: %s", reason)
