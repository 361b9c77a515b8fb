"""Networks made worse for one call, without touching a weight: what some guidance steers away from.

Any network serves whose modules can be named: a module's own `forward` is covered for as long as the
`with` lasts, and uncovered after it, whatever happens inside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from torch import Tensor, nn

from nodegraph.errors import InputError
from nodegraph.runtime import LiveDenoiser


def network_of(denoiser: LiveDenoiser) -> nn.Module:
    """The network behind a live denoiser. InputError where it does not show one."""
    network = getattr(denoiser, "network", None) or getattr(denoiser, "unet", None)
    if not isinstance(network, nn.Module):
        raise InputError("this denoiser shows no network that guidance could weaken", input="model")
    return network


@contextmanager
def covered(modules: Sequence[nn.Module], cover: Callable[[nn.Module], Callable[..., Any]]) -> Iterator[None]:
    """Put `cover(module)` in the place of each module's `forward`."""
    done: list[nn.Module] = []
    try:
        for module in modules:
            module.__dict__["forward"] = cover(module)
            done.append(module)
        yield
    finally:
        for module in done:
            del module.__dict__["forward"]


def skipped(blocks: Sequence[nn.Module]) -> AbstractContextManager[object]:
    """Leave blocks out: each gives back what it was given.

    A block takes its streams first and gives them back in the same order: as many as the module's
    `streams` says, else one.
    """
    return covered(blocks, _identity)


def _identity(block: nn.Module) -> Callable[..., Any]:
    streams = int(getattr(block, "streams", 1))

    def forward(*inputs: Any, **_: Any) -> Any:
        return inputs[0] if streams == 1 else inputs[:streams]

    return forward


def self_attention_as_identity(network: nn.Module, where: str) -> AbstractContextManager[object]:
    """Let every position of the chosen self-attention layers see itself alone (Ahn et al. 2024, PAG).

    `where` is a regular expression for names of the modules around, such as `middle_block`.
    """
    layers = [
        module
        for name, module in network.named_modules()
        if name.endswith(".attn1") and re.search(where, name)
    ]
    if not layers:
        raise InputError(
            "the model has no self attention there",
            input="blocks",
            found=f"'{where}'",
            remedy="Name blocks of the model, such as middle_block.",
        )
    return covered(layers, _values_only)


def _values_only(layer: nn.Module) -> Callable[..., Tensor]:
    values, back = layer.get_submodule("to_v"), layer.get_submodule("to_out")

    def forward(x: Tensor, context: Tensor | None = None) -> Tensor:
        out: Tensor = back(values(x if context is None else context))
        return out

    return forward
