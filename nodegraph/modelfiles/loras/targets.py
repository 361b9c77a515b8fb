"""Where a change goes: a layer of a network, whole or some of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from nodegraph.modelfiles.shapes import Shapes

_WEIGHTS = (".weight", ".scale")
"""How the main parameter of a layer is called; FLUX.1 calls that of its norms `scale`."""


class Target(NamedTuple):
    """A layer of a component, and how a change of another layout is brought into its weight.

    module: the layer's name in the network; rows: (first, end) of the rows that are changed, None for all
    (query of a fused query, key and value); part: (index, count), which of count equal parts of the change's
    rows is meant, None for all of it (a fused change of separate layers); swapped: the halves of the change's
    rows trade places.
    """

    component: str
    module: str
    rows: tuple[int, int] | None = None
    part: tuple[int, int] | None = None
    swapped: bool = False


Named = tuple[str, Target]
"""A spelling of a layer's name, and the layer."""


def layers_of(shapes: Shapes) -> dict[str, str]:
    """Every layer of a network by name -> its main parameter, which a LoRA changes (not its bias)."""
    layers: dict[str, str] = {}
    for name, shape in shapes.items():
        if name.endswith(".bias") or not shape:  # a single number has no rows
            continue
        end = next((end for end in _WEIGHTS if name.endswith(end)), "")
        layers[name.removesuffix(end)] = name  # a bare parameter, as `pos_embed`, is its own layer
    return layers


def table(named: Iterable[Named]) -> Mapping[str, tuple[Target, ...]]:
    """Spelling -> the layers that it means: several where a change is fused and the layers are not."""
    found: dict[str, tuple[Target, ...]] = {}
    for stem, target in named:
        known = found.get(stem, ())
        if target not in known:
            found[stem] = (*known, target)
    return found


def spelled(names: Iterable[str], dotted: Iterable[str], underscored: Iterable[str]) -> Iterator[str]:
    """Every name behind every prefix; kohya's trainers and LyCORIS write underscores for dots."""
    for name in names:
        yield from (prefix + name for prefix in dotted)
        flat = name.replace(".", "_")
        yield from (prefix + flat for prefix in underscored)
