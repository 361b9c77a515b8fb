"""How patches of a recipe become changed tensors: the contract of a patch kind.

A kind is a name and a function for each target that it can change. The store is given a table of kinds;
there is no registry, and a plugin's kind is one more row.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from torch import Tensor

from nodegraph.errors import InputError
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.values import Model, Patch

PORTION = 128 * 2**20
"""Bytes of the base that are patched at a time; in float32 that is twice as much for half precision."""


class FileTensors(NamedTuple):
    """A whole file of a patch, on the CPU as stored."""

    header: Header
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Bench:
    """What an apply function works with.

    weights: current tensors by their names in the network (never written to); components: names and
    shapes of everything in the base file, by component (`denoiser`, `clip_l`, `vae`, …); file: holds a
    file of the given content hash while its tensors are read; wanted: whether a tensor is asked for now.
    A model is patched in portions, a streamed one block by block: weights holds those that are wanted, and
    what is not wanted is thrown away.
    component: whose tensors these are; family: that of the recipe.
    """

    weights: Mapping[str, Tensor]
    components: Mapping[str, Shapes]
    file: Callable[[str], AbstractContextManager[FileTensors]]
    wanted: Callable[[str], bool] = lambda name: True  # noqa: ARG005 - the parameter is part of the contract
    component: str = ""
    family: str = ""


Apply = Callable[[Patch, Bench], Mapping[str, Tensor]]
"""The changed tensors by name: new ones, float32 welcome. Tensors that stay the same are left out."""


class Scope(NamedTuple):
    """What a patch takes: content hashes of its files, and component -> names of the tensors it changes.

    A component that the patch is for and leaves as it is (at strength 0) has no names; one that it has
    nothing to do with is left out.
    """

    files: tuple[str, ...]
    changes: Mapping[str, frozenset[str]]


ScopeOf = Callable[[Patch, Mapping[str, Shapes], Callable[[str], Header], str], Scope]
"""(patch, components of the base, header of a file by its hash, family) -> scope, from headers alone."""


@dataclass(frozen=True, slots=True)
class PatchKind:
    """What a kind of patch does to each target; None where it cannot be applied.

    scope tells beforehand what the patch will take, so that room is made for it in time.
    """

    denoiser: Apply | None = None
    text_encoder: Apply | None = None
    autoencoder: Apply | None = None
    scope: ScopeOf | None = None


Target = Literal["denoiser", "text_encoder", "autoencoder"]
"""What can be patched: the fields of `PatchKind`."""


def with_weight_patches(model: Model, asked: Container[str]) -> Model:
    """The model without patches of kinds that change no weight (`asked`): they share one live network."""
    return replace(model, patches=tuple(patch for patch in model.patches if patch.kind not in asked))


def overlay(
    base: Mapping[str, Tensor],
    patches: tuple[Patch, ...],
    target: Target,
    kinds: Mapping[str, PatchKind],
    bench: Callable[[Mapping[str, Tensor], Callable[[str], bool]], Bench],
) -> dict[str, Tensor]:
    """The tensors that the patches change, in the dtypes of the base, which is not written to.

    Results of several patches add up in float32 and are rounded to the base's dtype once. The patches take
    the base in portions, so that no more than one of them is there in float32; bench: (current tensors of
    a portion, whether a tensor belongs to it) -> what they work with. InputError: a kind that is unknown or
    not made for the target.
    """
    result: dict[str, Tensor] = {}
    applies = [(patch, _apply_of(patch, target, kinds)) for patch in patches]
    for portion in _portions(base) if applies else ():
        changed: dict[str, Tensor] = {}
        for patch, apply in applies:
            ready = bench(ChainMap(changed, portion), portion.__contains__)
            new = apply(patch, ready)
            changed = changed | {name: tensor for name, tensor in new.items() if ready.wanted(name)}
        result |= {name: tensor.to(portion[name].dtype) for name, tensor in changed.items()}
    return result


def _portions(base: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The tensors in groups of at most `PORTION` bytes; a larger one is a group of its own."""
    portion: dict[str, Tensor] = {}
    size = 0
    for name, tensor in base.items():
        if portion and size + tensor.nbytes > PORTION:
            yield portion
            portion, size = {}, 0
        portion[name] = tensor
        size += tensor.nbytes
    if portion:
        yield portion


def _apply_of(patch: Patch, target: Target, kinds: Mapping[str, PatchKind]) -> Apply:
    kind = kinds.get(patch.kind)
    if kind is None:
        raise InputError(
            f"the patch kind '{patch.kind}' is unknown",
            code="unknown_patch",
            expected=f"one of {', '.join(sorted(kinds))}" if kinds else "no patch at all",
            found=f"'{patch.kind}'",
            remedy="Install the plugin that provides it.",
        )
    apply: Apply | None = getattr(kind, target)
    if apply is None:
        raise InputError(
            f"a patch of kind '{patch.kind}' cannot be applied to a {target.replace('_', ' ')}",
            code="patch_target",
        )
    return apply
