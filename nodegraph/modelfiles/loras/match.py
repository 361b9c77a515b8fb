"""Match a LoRA file to a model by names and shapes alone: headers, no weights, no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import FAMILIES, TEXT_ENCODERS
from nodegraph.modelfiles.loras.keys import parse
from nodegraph.modelfiles.loras.layers import Components, LayerFinder, LoraLayer
from nodegraph.modelfiles.loras.targets import Named, table
from nodegraph.modelfiles.loras.telling import describe
from nodegraph.modelfiles.loras.texts import text_names
from nodegraph.modelfiles.loras.transformers import transformer_names
from nodegraph.modelfiles.loras.unets import unet_names
from nodegraph.modelfiles.safetensors_header import Header


@dataclass(frozen=True, slots=True)
class LoraMatch:
    """What of a LoRA fits a model. `unmatched` names tensors of the LoRA that fit nothing in it.

    found: what the file was made for, in words; expected: what the model is.
    """

    family: str
    layers: tuple[LoraLayer, ...]
    unmatched: tuple[str, ...]
    found: str = ""
    expected: str = ""
    path: str = field(default="", compare=False)

    def of(self, component: str) -> tuple[LoraLayer, ...]:
        """The layers of one component: `denoiser`, `clip_l`, …"""
        return tuple(layer for layer in self.layers if layer.component == component)

    def require(self) -> LoraMatch:
        """This match. ModelFileError, naming both families, where nothing fits."""
        if self.layers:
            return self
        raise ModelFileError(
            f"nothing in {self.path} fits this model",
            code="lora_matches_nothing",
            expected=self.expected,
            found=self.found,
            remedy="Use a LoRA that was made for the family of the model.",
        )


def match_lora(lora: Header, components: Components, *, family: str = "") -> LoraMatch:
    """Match a LoRA file to the components of a model; family: the model's, which counts text encoders.

    Whether anything fits at all is asked with `LoraMatch.require`. ModelFileError: the file uses a method
    that is not supported, a layer is incomplete, or a shape does not fit.
    """
    names = parse(lora.tensors)
    if names.unsupported:
        raise ModelFileError(
            f"{lora.path} uses a method that is not supported",
            code="lora_unsupported",
            expected="LoRA, LoCon, LoHa, LoKr, GLoRA, DoRA or whole differences",
            found=f"'{names.unsupported[0]}'",
            remedy="Use a LoRA of one of these methods, or convert this one.",
        )
    stems = table(_names(components, family))
    finder = LayerFinder(lora, names, components, _title(family))
    layers: list[LoraLayer] = []
    unmatched = list(names.unknown)
    for stem, roles in names.modules.items():
        used: set[str] = set()
        for target in stems.get(stem, ()):
            for layer in finder.layers(stem, roles, target):
                layers.append(layer)
                used.update(layer.parts.values())
                used.update([layer.alpha] if isinstance(layer.alpha, str) else ())
        unmatched += [
            name for role, name in roles.items() if name not in used and (role != "alpha" or not used)
        ]
    present = " and ".join(sorted(part for part in components if components[part])) or "nothing"
    return LoraMatch(
        family,
        tuple(layers),
        tuple(sorted(unmatched)),
        describe(names, lora.shapes),
        f"a LoRA for {_title(family)} (this model has {present})",
        str(lora.path),
    )


def _names(components: Components, family: str) -> Iterator[Named]:
    denoiser = components.get("denoiser") or {}
    if "input_blocks.0.0.weight" in denoiser:
        yield from unet_names(denoiser)
    else:
        yield from transformer_names(denoiser)
    declared = next((each for each in FAMILIES if each.name == family), None)
    encoders = {part for part in components if part in TEXT_ENCODERS}
    if declared is not None:
        encoders |= {encoder.component for encoder in declared.encoders}
    for part in TEXT_ENCODERS:
        if components.get(part):
            yield from text_names(part, components[part], encoders)


def _title(family: str) -> str:
    return next((each.title for each in FAMILIES if each.name == family), family or "this kind of model")
