"""Match a LoRA file to a checkpoint by names and shapes alone: headers, no weights, no torch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.lora_keys import LoraNames, describe, parse
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph.modelfiles.shapes import Shapes, unet_config

_PROCESSOR = re.compile(r"\.(attn\d)\.(to_[a-z]+)(?:\.0)?$")


@dataclass(frozen=True, slots=True)
class LoraLayer:
    """One adapted weight: `component` and `weight` say where, the others name tensors of the LoRA file.

    alpha: the name of the tensor that holds it, its value where the metadata tells it, or None (= rank).
    """

    component: str
    weight: str
    down: str
    up: str
    mid: str | None
    alpha: str | float | None
    rank: int


@dataclass(frozen=True, slots=True)
class LoraMatch:
    """What of a LoRA fits a checkpoint. `unmatched` names tensors of the LoRA that fit nothing in it."""

    family: str
    layers: tuple[LoraLayer, ...]
    unmatched: tuple[str, ...]

    def of(self, component: str) -> tuple[LoraLayer, ...]:
        """The layers of one component: `denoiser` or `clip_l`."""
        return tuple(layer for layer in self.layers if layer.component == component)


def match_lora(lora: Header, components: Mapping[str, Shapes], *, family: str = "sd1") -> LoraMatch:
    """Match a LoRA file to the components of a checkpoint (`denoiser` and `clip_l`: tensor name -> shape).

    ModelFileError: the file uses a method other than LoRA or LoCon, a pair is incomplete, a shape does
    not fit, or nothing matches (the message says what the file looks like).
    """
    names = parse(lora.tensors)
    if names.unsupported:
        raise ModelFileError(
            f"{lora.path} uses a method that is not supported",
            code="lora_unsupported",
            expected="LoRA or LoCon (up and down matrices)",
            found=f"'{names.unsupported[0]}'",
            remedy="Use a plain LoRA, or convert this one.",
        )
    targets = dict(_aliases(components))
    layers: list[LoraLayer] = []
    unmatched = list(names.unknown)
    for stem, roles in names.modules.items():
        target = targets.get(stem)
        if target is None:
            unmatched.extend(roles.values())
        else:
            component, weight = target
            layers.append(_layer(lora, stem, roles, component, weight, components[component][weight]))
    if not layers:
        raise _no_match(lora.path, names, components)
    return LoraMatch(family, tuple(layers), tuple(sorted(unmatched)))


def _aliases(components: Mapping[str, Shapes]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every stem that a LoRA may use for a weight -> (component, weight)."""
    unet = components.get("denoiser") or {}
    prefixes = diffusers_prefixes(unet_config(unet)) if unet else {}
    for weight in _matrices(unet):
        module = weight.removesuffix(".weight")
        for stem in _unet_stems(module, to_diffusers(module, prefixes)):
            yield stem, ("denoiser", weight)
    for weight in _matrices(components.get("clip_l") or {}):
        for stem in _text_stems(weight.removesuffix(".weight")):
            yield stem, ("clip_l", weight)


def _matrices(shapes: Shapes) -> Iterator[str]:
    return (name for name, shape in shapes.items() if name.endswith(".weight") and len(shape) >= 2)


def _unet_stems(module: str, diffusers: str | None) -> Iterable[str]:
    underscored = module.replace(".", "_")
    yield f"lora_unet_{underscored}"
    yield f"diffusion_model.{module}"
    if diffusers is None:
        return
    yield f"lora_unet_{diffusers.replace('.', '_')}"
    processor = _PROCESSOR.sub(r".\1.processor.\2", diffusers)
    for name in {diffusers, processor}:
        yield from (name, f"unet.{name}", f"base_model.model.{name}", f"unet.base_model.model.{name}")


def _text_stems(module: str) -> Iterable[str]:
    underscored = module.replace(".", "_")
    yield from (f"lora_te_{underscored}", f"lora_te1_{underscored}")
    for name in {module, module.removeprefix("text_model.")}:
        yield from (f"text_encoder.{name}", f"text_encoder.base_model.model.{name}")


def _layer(
    lora: Header, stem: str, roles: Mapping[str, str], component: str, weight: str, shape: tuple[int, ...]
) -> LoraLayer:
    missing = {"down", "up"} - roles.keys()
    if missing:
        raise ModelFileError(
            f"{lora.path} is damaged: '{stem}' has no {' and no '.join(sorted(missing))} matrix",
            code="model_file_damaged",
            remedy="Download the file again.",
        )
    down, up = lora.tensors[roles["down"]].shape, lora.tensors[roles["up"]].shape
    mid = lora.tensors[roles["mid"]].shape if "mid" in roles else ()
    kernel = math.prod(mid[2:])
    fits = (
        len(down) >= 2
        and len(up) >= 2
        and up[0] == shape[0]
        and math.prod(up[1:]) == down[0] > 0
        and math.prod(down[1:]) * kernel == math.prod(shape[1:])
        and (not mid or mid[:2] == (down[0], down[0]))
    )
    if not fits:
        raise ModelFileError(
            f"{lora.path} does not fit this checkpoint: '{stem}' has up {list(up)} and down {list(down)}",
            code="lora_shape_mismatch",
            expected=f"matrices whose product has the shape {list(shape)} of '{weight}'",
            found=f"up {list(up)} and down {list(down)}" + (f" with mid {list(mid)}" if mid else ""),
            remedy="The LoRA was made for another family: use one made for SD 1.x.",
        )
    alpha = roles.get("alpha") or _alpha_of_metadata(lora, component, stem, down[0])
    return LoraLayer(component, weight, roles["down"], roles["up"], roles.get("mid"), alpha, down[0])


def _alpha_of_metadata(lora: Header, component: str, stem: str, rank: int) -> float | None:
    """PEFT keeps alpha out of the tensors; diffusers saves it as `lora_adapter_metadata` (JSON).

    Rank-stabilised LoRA (Kalajdzievski 2023) divides alpha by the root of the rank: told here as the
    alpha that gives the same factor when divided by the rank.
    """
    try:
        table = json.loads(lora.metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(table, dict):
        return None
    owner = {"denoiser": "unet", "clip_l": "text_encoder"}[component]
    pattern = table.get(f"{owner}.alpha_pattern")
    module = stem.removeprefix(f"{owner}.")
    alpha = pattern.get(module) if isinstance(pattern, dict) else None
    alpha = table.get(f"{owner}.lora_alpha") if alpha is None else alpha
    if not isinstance(alpha, int | float):
        return None
    return alpha * math.sqrt(rank) if table.get(f"{owner}.use_rslora") is True else float(alpha)


def _no_match(path: Path, names: LoraNames, components: Mapping[str, Shapes]) -> ModelFileError:
    present = " and ".join(sorted(part for part in components if components[part])) or "nothing"
    return ModelFileError(
        f"nothing in {path} fits this checkpoint",
        code="lora_matches_nothing",
        expected=f"a LoRA for SD 1.x (the checkpoint has {present})",
        found=describe(names),
        remedy="Use a LoRA that was made for the family of the checkpoint.",
    )
