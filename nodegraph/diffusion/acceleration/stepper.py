"""Calls a denoiser's network the fastest way that is right, and says which way that was.

A step is replayed where it was captured, else runs compiled, else eagerly. Why it did not run the way that
was asked for is told once in words, and counted with every step; nothing degrades silently.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from nodegraph.diffusion.acceleration.arguments import signature_of
from nodegraph.diffusion.acceleration.captured import Call, CapturedStep, Recorder, weights_bytes
from nodegraph.diffusion.acceleration.modes import Acceleration
from nodegraph.diffusion.acceleration.shelf import Wanted
from nodegraph.diffusion.placement import ModelMemoryError

log = logging.getLogger(__name__)
Way = Literal["replayed", "compiled", "eager"]
COMPILED_SHAPES = 64
"""Versions of one network that torch keeps compiled; it gives up after 8 where it is not told otherwise."""


class Keep(Protocol):
    """Holds a captured step of the memory budget while it is used, building it where it is not there."""

    def __call__(self, wanted: Wanted) -> AbstractContextManager[CapturedStep]: ...


class Refusal(NamedTuple):
    """Why a step could not take a way. about: what stays refused, such as a signature; None: ask again."""

    reason: str
    about: Hashable = None
    detail: str = ""


class Refused(Exception):  # noqa: N818 - no error: the step runs another way
    """Carries a refusal, which alone is kept: an exception would keep the tensors of its frames alive."""

    def __init__(self, reason: str, about: Hashable = None, detail: object = "") -> None:
        self.refusal = Refusal(reason, about, str(detail))
        super().__init__(reason)


class Stepper:
    """Stands where a denoiser calls its network.

    patched: the weights that differ from the file's, by name; streamed: whether blocks come and go while
    the network runs; recorder: None where the device cannot capture; keep: see `Keep`; count: counts
    `eager_steps`, `compiled_steps`, `captures` and `replayed_steps`.
    """

    def __init__(
        self, network: nn.Module, patched: Collection[str], acceleration: Acceleration, *,
        streamed: bool, recorder: Recorder | None, keep: Keep, count: Callable[[str, int], None],
        backend: str = "inductor",
    ) -> None:  # fmt: skip
        self._network = network
        self._patched = frozenset(patched)
        self._owner = object()  # tells the captured step whose weights it holds, without keeping ours alive
        self._asked = acceleration
        self._streamed = streamed
        self._recorder = recorder
        self._keep = keep
        self._count = count
        self._backend = backend
        self._modules = list(network.modules())
        self._compiled: Call | None = None
        self._refused: dict[Hashable, Refusal] = {}
        self._told: set[str] = set()
        self._ways: Counter[str] = Counter()
        self._choices: dict[Way, Call] = {}
        if acceleration.graphs:
            self._choices["replayed"] = self._replayed
        if acceleration.compile:
            self._choices["compiled"] = self._through_compiler
        self._choices["eager"] = network

    def __call__(self, *arguments: Any) -> Tensor:
        """The network's result for these arguments. What the network itself raises is raised."""
        refusals: list[Refusal] = []
        for way, call in self._choices.items():
            try:
                if way != "eager":
                    self._check()
                result: Tensor = call(*arguments)
            except Refused as refused:
                refusals.append(refused.refusal)
                continue
            self._note(way, refusals)
            return result
        raise AssertionError("the last way, the network itself, refuses nothing")

    def ways(self) -> Mapping[str, int]:
        """How many steps went which way so far: `replayed`, `compiled` or `eager`, with why, if not as asked.

        For example `eager: the model is streamed through the device`.
        """
        return dict(self._ways)

    def _note(self, way: Way, refusals: list[Refusal]) -> None:
        """Count a step; what kept it from a faster way is told, and remembered as a slower one worked."""
        reasons = list(dict.fromkeys(refusal.reason for refusal in refusals))
        self._ways[": ".join([way, "; ".join(reasons)]) if reasons else way] += 1
        self._count(f"{way}_steps", 1)
        for refusal in refusals:
            if refusal.about is not None:
                self._refused[refusal.about] = refusal
            if refusal.reason not in self._told:
                self._told.add(refusal.reason)
                why = f"{refusal.reason} ({refusal.detail})" if refusal.detail else refusal.reason
                log.warning("steps run without the acceleration that was asked for: %s", why)

    def _check(self) -> None:
        """Refused where every faster way is wrong."""
        if self._streamed:
            raise Refused("the model is streamed through the device")
        if any(
            module._forward_pre_hooks or module._forward_hooks or "forward" in module.__dict__
            for module in self._modules
        ):
            raise Refused("guidance changes the network while it runs")

    def _check_earlier(self, about: Hashable) -> None:
        if about in self._refused:
            raise Refused(*self._refused[about])

    def _replayed(self, *arguments: Any) -> Tensor:
        """The result of a captured step."""
        if self._recorder is None:
            raise Refused("steps can be captured on CUDA devices only")
        signature = (self._asked, signature_of(arguments))
        self._check_earlier(signature)
        recorder = self._recorder

        def build(own: Collection[str]) -> CapturedStep:
            self._count("captures", 1)
            return CapturedStep(self._network, own, arguments, recorder, self._prepared)

        wanted = Wanted(signature, self._patched, lambda names: weights_bytes(self._network, names), build)
        try:
            with self._keep(wanted) as step:
                return step(self._owner, self._network, arguments)
        except ModelMemoryError as error:
            raise Refused("there is no room for a captured step", None, error) from error
        except torch.OutOfMemoryError as error:
            reason = "the device ran out of memory while a step was captured"
            refused = Refused(reason, signature, _first_line(error))
        except Exception as error:  # noqa: BLE001 - what cannot be captured may well run
            refused = Refused("the step cannot be captured", signature, _first_line(error))
        torch.cuda.empty_cache()  # what a failed capture left; nothing where CUDA is not in use
        raise refused

    def _prepared(self, network: nn.Module) -> Call:
        return self._compile(network) if self._asked.compile else network

    def _compile(self, network: nn.Module) -> Call:
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, COMPILED_SHAPES)
        compiled: Call = torch.compile(network, dynamic=False, fullgraph=True, backend=self._backend)
        return compiled

    def _through_compiler(self, *arguments: Any) -> Tensor:
        """The compiled network's result."""
        self._check_earlier("compiler")
        try:
            if self._compiled is None:
                self._compiled = self._compile(self._network)
            return self._compiled(*arguments)
        except torch.OutOfMemoryError:
            raise  # an eager step takes no less
        except Exception as error:
            raise Refused("the network cannot be compiled", "compiler", _first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0]
