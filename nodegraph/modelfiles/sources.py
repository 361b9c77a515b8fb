"""How a tensor of a network is made of tensors of a file: names, slices and reshapes, as data.

Layouts differ in more than names: OpenCLIP keeps query, key and value in one matrix, diffusers keeps apart
what FLUX fuses. A source says what to do; `nodegraph.diffusion.weights` does it, and `shape` foresees the
result without reading anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class TensorSource:
    """One tensor of a network. The steps are taken in the order of the fields.

    names: tensors of the file, joined along the first dimension; scales: for each of them the name of the
    factor that it is multiplied by before (scaled fp8) or None, empty where none has one; rows: (index,
    count), the index-th of count equal parts along the first dimension; swapped: the two halves of the first
    dimension change places; transposed: of a matrix; rank: trailing dimensions of length 1 are added or
    dropped until there are this many (0: as they are).
    """

    names: tuple[str, ...]
    scales: tuple[str | None, ...] = ()
    rows: tuple[int, int] | None = None
    swapped: bool = False
    transposed: bool = False
    rank: int = 0

    @classmethod
    def of(cls, *names: str) -> TensorSource:
        """The tensors of these names as they are, joined."""
        return cls(names)

    def part(self, index: int, count: int) -> TensorSource:
        """The index-th of count equal parts along the first dimension."""
        return replace(self, rows=(index, count))

    def shape(self, shapes: Shapes) -> tuple[int, ...]:
        """The shape of the result. KeyError where the file lacks a tensor, ValueError where it cannot be."""
        parts = [shapes[name] for name in self.names]
        shape = parts[0]
        if len(parts) > 1:
            if not shape or any(other[1:] != shape[1:] for other in parts):
                raise ValueError(f"{' and '.join(self.names)} cannot be joined")
            shape = (sum(other[0] for other in parts), *shape[1:])
        if self.rows is not None:
            if not shape or shape[0] % self.rows[1]:
                raise ValueError(
                    f"'{self.names[0]}' of shape {list(shape)} has no {self.rows[1]} equal parts"
                )
            shape = (shape[0] // self.rows[1], *shape[1:])
        if self.swapped and (not shape or shape[0] % 2):
            raise ValueError(f"'{self.names[0]}' of shape {list(shape)} has no two halves")
        if self.transposed:
            if len(shape) != 2:
                raise ValueError(f"'{self.names[0]}' of shape {list(shape)} is no matrix")
            shape = (shape[1], shape[0])
        return _with_rank(shape, self.rank)


def _with_rank(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    if not rank:
        return shape
    if any(side != 1 for side in shape[rank:]):
        raise ValueError(f"a tensor of shape {list(shape)} does not flatten to {rank} dimensions")
    return (*shape[:rank], *(1 for _ in range(rank - len(shape))))


Sources = Mapping[str, TensorSource]
"""The tensors of a network: name in the network -> how it is made of the file."""


def renamed(names: Mapping[str, str]) -> dict[str, TensorSource]:
    """Sources that only rename: name in the network -> name in the file."""
    return {name: TensorSource.of(source) for name, source in names.items()}


def shapes_of(sources: Sources, shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a network. KeyError and ValueError as `TensorSource.shape`."""
    return {name: source.shape(shapes) for name, source in sources.items()}


_SCALES = (".scale_weight", ".weight_scale")
"""How the factor of a scaled `.weight` is named: by ComfyUI's older files, and by newer ones."""
_HELPERS = (*_SCALES, ".scale_input", ".input_scale", "scaled_fp8")
"""Names of what goes with scaled weights: factors, and those of activations, which are kept in full here."""


def with_scales(sources: Sources, shapes: Shapes) -> dict[str, TensorSource]:
    """The sources without the helpers of scaled weights, which they refer to instead."""
    kept = {name: source for name, source in sources.items() if not name.endswith(_HELPERS)}
    if not any(name.endswith(_SCALES) for name in shapes):
        return kept
    return {name: _scaled(source, shapes) for name, source in kept.items()}


def _scaled(source: TensorSource, shapes: Shapes) -> TensorSource:
    def factor(name: str) -> str | None:
        stem = name.removesuffix(".weight")
        return next((stem + end for end in _SCALES if stem + end in shapes), None)

    if not all(name.endswith(".weight") for name in source.names):
        return source
    scales = tuple(factor(name) for name in source.names)
    return replace(source, scales=scales) if any(scales) else source
