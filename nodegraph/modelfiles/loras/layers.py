"""From the tensors of one stem to the tensors of the model that they change, with every shape checked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.loras.algorithms import Algorithm, Shape, algorithms_of, scales_fit
from nodegraph.modelfiles.loras.alphas import told_alpha, told_alphas
from nodegraph.modelfiles.loras.keys import LoraNames
from nodegraph.modelfiles.loras.targets import Target, layers_of
from nodegraph.modelfiles.loras.telling import made_for
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.shapes import Shapes

Components = Mapping[str, Shapes]
"""Component (`denoiser`, `clip_l`, …) -> its tensors: name in the network -> shape."""

_ROOT = ("input_blocks.0.0.weight", "img_in.weight")
"""Weights that see the latent: models for inpainting, editing and control see more channels after it."""
_INPUTS = ("down", "diff", "hada_w1_b")
"""Roles whose second dimension is that of the layer's input."""


@dataclass(frozen=True, slots=True)
class LoraLayer:
    """One changed tensor: `component` and `weight` say which, the rest how the file makes the change.

    algorithm: a key of `nodegraph.diffusion.loras.DELTAS`; parts: role -> tensor of the LoRA file; alpha:
    the name of the tensor that holds it, its value where the metadata tell it, or None (= rank); rank: what
    alpha is divided by, 0 where it has no part; shape: of the change, before `part` of it is taken; rows,
    part, swapped: as in `Target`.
    """

    component: str
    weight: str
    algorithm: str
    parts: Mapping[str, str]
    alpha: str | float | None
    rank: int
    shape: Shape
    rows: tuple[int, int] | None = None
    part: tuple[int, int] | None = None
    swapped: bool = False
    columns: int | None = None


class LayerFinder:
    """The changes of one file in one model. title: what people call the model's family."""

    def __init__(self, lora: Header, names: LoraNames, components: Components, title: str) -> None:
        self._lora, self._names, self._components, self._title = lora, names, components, title
        self._shapes = lora.shapes
        self._alphas = told_alphas(lora.metadata)
        self._weights = {part: layers_of(shapes) for part, shapes in components.items() if shapes}

    def layers(self, stem: str, roles: Mapping[str, str], target: Target) -> Iterator[LoraLayer]:
        """What the tensors of one stem change in a target: its weight, its bias, or both."""
        weight = self._weights[target.component][target.module]
        shape = self._components[target.component][weight]
        shapes = {role: self._shapes[name] for role, name in roles.items()}
        whole = _whole(shape, target)
        columns = _columns(weight, shapes, whole)
        if columns is not None:
            whole = (whole[0], columns, *whole[2:])
        alpha, rank = self._scale(stem, roles, shapes)
        for algorithm in algorithms_of(shapes):
            self._check(stem, algorithm, shapes, whole, weight)
            parts = {role: name for role, name in roles.items() if role not in {"alpha", "diff_b", "up_bias"}}
            self._check_composition(stem, algorithm, parts, target, columns)
            count = algorithm.rank(shapes)
            yield LoraLayer(
                target.component, weight, algorithm.name, parts, alpha if count else None, count, whole,
                target.rows, target.part, target.swapped, columns,
            )  # fmt: skip
        bias = f"{target.module}.bias"
        sides = self._components[target.component].get(bias)
        for role in ("diff_b", "up_bias"):
            if role in roles and sides is not None and (role == "diff_b" or rank):
                changed = _whole(sides, target)
                if shapes[role] != changed:
                    raise self._misfit(stem, {role: shapes[role]}, changed, bias)
                scale = (alpha, rank) if role == "up_bias" else (None, 0)
                yield LoraLayer(
                    target.component, bias, "diff", {"diff": roles[role]}, *scale, changed,
                    target.rows, target.part, target.swapped,
                )  # fmt: skip

    def _scale(
        self, stem: str, roles: Mapping[str, str], shapes: Mapping[str, Shape]
    ) -> tuple[str | float | None, int]:
        """Alpha and the rank of a plain LoRA, by which a bias of its upper matrix is scaled too."""
        rank = shapes["down"][0] if shapes.get("down") else 0
        return roles.get("alpha") or told_alpha(self._alphas, stem, rank), rank

    def _check(
        self, stem: str, algorithm: Algorithm, shapes: Mapping[str, Shape], whole: Shape, weight: str
    ) -> None:
        missing = algorithm.missing(shapes)
        if missing:
            raise ModelFileError(
                f"{self._lora.path} is damaged: '{stem}' has no {missing} matrix",
                code="model_file_damaged",
                remedy="Download the file again.",
            )
        solid = all(shape for role, shape in shapes.items() if role != "alpha")
        solid = solid and math.prod(shapes.get("alpha", ())) == 1
        if not (solid and algorithm.fits(shapes, whole) and scales_fit(shapes, whole)):
            given = {role: shape for role, shape in shapes.items() if role != "diff_b"}
            raise self._misfit(stem, given, whole, weight)

    def _check_composition(
        self,
        stem: str,
        algorithm: Algorithm,
        parts: Mapping[str, str],
        target: Target,
        columns: int | None,
    ) -> None:
        """DoRA and GLoRA look at the weight, which has to have the layout of the change."""
        looks = algorithm.name == "glora" or parts.keys() & {"dora", "magnitude"}
        if looks and (target.part is not None or target.swapped or columns is not None):
            raise ModelFileError(
                f"{self._lora.path} changes '{stem}' by a method that needs the weight in that layout",
                code="lora_unsupported",
                expected="LoRA, LoHa or LoKr for this layer",
                found=algorithm.name if algorithm.name == "glora" else "DoRA",
                remedy="Convert the file to the layout of the model.",
            )

    def _misfit(self, stem: str, given: Mapping[str, Shape], whole: Shape, weight: str) -> ModelFileError:
        told = ", ".join(f"{role} {list(shape)}" for role, shape in given.items())
        family = made_for(self._names, self._shapes) or "another family"
        remedy = f"The LoRA was made for {family}: use one made for {self._title}."
        if weight in _ROOT and any(given[role][:1] == whole[:1] for role in ("up", "diff") if role in given):
            remedy = (
                "The LoRA changes how many channels the model sees, as control and inpainting LoRAs do: use "
                "the checkpoint of that kind instead."
            )
        return ModelFileError(
            f"{self._lora.path} does not fit this model: '{stem}' has {told}",
            code="lora_shape_mismatch",
            expected=f"a change of the shape {list(whole)} for '{weight}' of {self._title}",
            found=told,
            remedy=remedy,
        )


def _whole(shape: Shape, target: Target) -> Shape:
    """The shape of a change that its target takes rows or a part of."""
    rows = shape[0] if target.rows is None else target.rows[1] - target.rows[0]
    return (rows * (target.part[1] if target.part else 1), *shape[1:])


def _columns(weight: str, shapes: Mapping[str, Shape], whole: Shape) -> int | None:
    """How many input channels a change of the layer that sees the latent is for, if fewer than there are.

    A LoRA that was trained on the model for text alone then changes the columns of the noisy latent, which
    come first; what is seen beside it is left as it is.
    """
    given = next((shapes[role] for role in _INPUTS if role in shapes), ())
    if weight not in _ROOT or len(given) < 2 or len(whole) < 2 or not 0 < given[1] < whole[1]:
        return None
    return given[1]
