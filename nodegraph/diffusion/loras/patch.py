"""The patch kind `lora`: the changes of a LoRA file, added to a model in float32."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nodegraph.diffusion.loras.layer import add
from nodegraph.diffusion.patching import Bench, PatchKind, Scope
from nodegraph.modelfiles.loras import LoraMatch, match_lora
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.values import Patch


class _Matches:
    """The latest matches: streamed models ask for theirs again with every block."""

    KEPT = 8

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int, str], tuple[Header, Mapping[str, Shapes], LoraMatch]] = (
            OrderedDict()
        )

    def __call__(self, header: Header, components: Mapping[str, Shapes], family: str) -> LoraMatch:
        key = (id(header), id(components), family)
        with self._lock:
            known = self._kept.get(key)  # what is kept cannot lend its id to another
        if known is not None:
            return known[2]
        match = match_lora(header, components, family=family)
        with self._lock:
            self._kept[key] = header, components, match
            while len(self._kept) > self.KEPT:
                self._kept.popitem(last=False)
        return match


_match = _Matches()


def apply_lora_to_denoiser(patch: Patch, bench: Bench) -> Mapping[str, Tensor]:
    """The denoiser's tensors that `Patch.of("lora", file=HASH, strength=S)` changes.

    ModelFileError where the LoRA fits nothing in the base file; one that fits a text encoder there and not
    the denoiser changes nothing.
    """
    return _apply(patch, bench, ("denoiser",))


def apply_lora_to_text_encoder(patch: Patch, bench: Bench) -> Mapping[str, Tensor]:
    """As `apply_lora_to_denoiser`, for the text encoder whose tensors are on the bench."""
    return _apply(patch, bench, (bench.component,))


def _apply(patch: Patch, bench: Bench, components: tuple[str, ...]) -> Mapping[str, Tensor]:
    strength = float(patch.get("strength"))
    with bench.file(patch.get("file")) as (header, tensors):
        match = _match(header, bench.components, bench.family).require()
        changed: dict[str, Tensor] = {}
        if strength == 0:
            return changed
        for component in components:
            for layer in match.of(component):
                if not bench.wanted(layer.weight):
                    continue
                if layer.weight not in changed:  # several layers of a file may change one tensor
                    changed[layer.weight] = bench.weights[layer.weight].to(torch.float32, copy=True)
                add(layer, tensors, changed[layer.weight], strength)
        return changed


def lora_scope(
    patch: Patch, components: Mapping[str, Shapes], header: Callable[[str], Header], family: str = ""
) -> Scope:
    """The LoRA's file, and the tensors that it changes by component."""
    content_hash = str(patch.get("file"))
    changes: dict[str, set[str]] = {}
    for layer in _match(header(content_hash), components, family).layers:
        changes.setdefault(layer.component, set()).add(layer.weight)
    if patch.get("strength") == 0:
        changes = {component: set() for component in changes}
    return Scope((content_hash,), {name: frozenset(weights) for name, weights in changes.items()})


LORA = PatchKind(denoiser=apply_lora_to_denoiser, text_encoder=apply_lora_to_text_encoder, scope=lora_scope)
"""The patch kind `lora`, with parameters `file` (content hash) and `strength`.

W' = W + strength · ΔW, in float32: base weights are never written, and strength 0 gives them bit by bit. Of
several patches each takes the weight that the earlier ones left.
"""
