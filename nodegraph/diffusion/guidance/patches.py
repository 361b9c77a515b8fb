"""Patches of a model that change how it is asked, and no weight: guidance and FreeU.

Each has a record of its parameters; a patch of a recipe holds the record's fields. They work in the order
of the recipe, on top of the guidance that the run itself has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from torch import Tensor, nn

from nodegraph.diffusion.guidance import rules
from nodegraph.diffusion.guidance.freeu import freeu
from nodegraph.diffusion.guidance.steps import Adjust, Step
from nodegraph.diffusion.guidance.weaken import network_of, self_attention_as_identity, skipped
from nodegraph.errors import InputError
from nodegraph.runtime import LiveDenoiser
from nodegraph.values import Patch

Fraction = Annotated[float, Field(ge=0, le=1)]


class RescaleCfg(BaseModel, frozen=True):
    """Kind `rescale_cfg`: `rules.rescaled_at`."""

    amount: Fraction = 0.7


class CfgZeroStar(BaseModel, frozen=True):
    """Kind `cfg_zero_star`: `rules.cfg_zero_star`; in the first `zero_steps` steps nothing moves."""

    zero_steps: int = Field(0, ge=0)


class LimitNorm(BaseModel, frozen=True):
    """Kind `limit_norm`: `rules.norm_limited`."""

    strength: float = Field(1.0, ge=0)


class PerturbedAttention(BaseModel, frozen=True):
    """Kind `perturbed_attention`: `rules.away_from` a network whose self attention in `blocks` is off."""

    scale: float = 3.0
    blocks: str = "middle_block"
    start: Fraction = 0.0
    end: Fraction = 1.0


class SkipLayers(BaseModel, frozen=True):
    """Kind `skip_layers`: guidance by a network without some blocks.

    `layers`: numbers, such as "7, 8, 9"; `single_layers` those of a second stack. mode "extra" goes
    `scale` times away from the positive prompt of the weakened network, "negative" lets it predict the
    negative prompt.
    """

    layers: str = "7, 8, 9"
    single_layers: str = ""
    scale: float = 3.0
    mode: Literal["extra", "negative"] = "extra"
    start: Fraction = 0.01
    end: Fraction = 0.15


class FreeU(BaseModel, frozen=True):
    """Kind `freeu`: see `guidance.freeu`."""

    b1: float = Field(1.3, ge=0)
    b2: float = Field(1.4, ge=0)
    s1: float = Field(0.9, ge=0)
    s2: float = Field(0.2, ge=0)
    version: Literal[1, 2] = 2


def _rescale(record: RescaleCfg, step: Step) -> Step:
    positive = step.predictions["positive"]
    return step.moved(rules.rescaled_at(step.x, step.guided, positive, step.share, record.amount))


def _zero_star(record: CfgZeroStar, step: Step) -> Step:
    if step.index < record.zero_steps:
        return step.moved(step.x)
    if "negative" not in step.predictions or "cfg" not in step.options:
        return step
    made = step.predictions
    scale = float(step.options["cfg"])
    return step.moved(rules.cfg_zero_star(step.x, made["positive"], made["negative"], scale))


def _limit(record: LimitNorm, step: Step) -> Step:
    return step.moved(rules.norm_limited(step.guided, step.predictions["positive"], record.strength))


def _perturb(record: PerturbedAttention, step: Step) -> Step:
    if record.scale == 0 or not step.within(record.start, record.end):
        return step
    worse = step.again("positive", partial(self_attention_as_identity, where=record.blocks))
    return step.moved(rules.away_from(step.guided, step.predictions["positive"], worse, record.scale))


def _skip(record: SkipLayers, step: Step) -> Step:
    if not step.within(record.start, record.end):
        return step

    def weaken(network: nn.Module) -> AbstractContextManager[object]:
        return skipped(chosen_blocks(network, record.layers, record.single_layers))

    if record.mode == "extra":
        worse = step.again("positive", weaken)
        return step.moved(rules.away_from(step.guided, step.predictions["positive"], worse, record.scale))
    if "negative" not in step.predictions:
        return step
    predictions: dict[str, Tensor] = {**step.predictions, "negative": step.again("negative", weaken)}
    return replace(step, predictions=predictions, guided=step.combine(predictions))


STACKS = (("joint_blocks", "double_blocks", "blocks"), ("single_blocks",))
"""Names under which networks hold their blocks: of the first stack, and of the second."""


def chosen_blocks(network: nn.Module, layers: str, single_layers: str = "") -> Sequence[nn.Module]:
    """The blocks with these numbers. InputError where a network has no such stack or number."""
    chosen: list[nn.Module] = []
    for text, names in zip((layers, single_layers), STACKS, strict=True):
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        found = (getattr(network, name) for name in names if hasattr(network, name))
        stack = list(next(found, ()))
        for number in numbers:
            if number >= len(stack):
                raise InputError(
                    f"the model has no layer {number} to skip",
                    input="layers",
                    expected=f"0 to {len(stack) - 1}" if stack else "a transformer",
                    found=text,
                )
            chosen.append(stack[number])
    return chosen


Around = Callable[[Any, nn.Module], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class SamplingKind:
    """A patch kind that changes how a model is asked.

    params: the record of its parameters; adjust: changes each prediction; around: changes the network for
    as long as a run lasts.
    """

    params: type[BaseModel]
    adjust: Callable[[Any, Step], Step] | None = None
    around: Around | None = None


def _freeu(record: FreeU, network: nn.Module) -> AbstractContextManager[object]:
    return freeu(network, record.b1, record.b2, record.s1, record.s2, record.version)


SAMPLING_KINDS: Mapping[str, SamplingKind] = {
    "rescale_cfg": SamplingKind(RescaleCfg, adjust=_rescale),
    "cfg_zero_star": SamplingKind(CfgZeroStar, adjust=_zero_star),
    "limit_norm": SamplingKind(LimitNorm, adjust=_limit),
    "perturbed_attention": SamplingKind(PerturbedAttention, adjust=_perturb),
    "skip_layers": SamplingKind(SkipLayers, adjust=_skip),
    "freeu": SamplingKind(FreeU, around=_freeu),
}
"""The patch kinds of this library that change no weight."""


def adjustments(patches: Sequence[Patch]) -> Sequence[Adjust]:
    """What the patches change about each prediction, in order; those that change weights are passed over."""
    return [
        partial(kind.adjust, _record(kind, patch))
        for patch in patches
        if (kind := SAMPLING_KINDS.get(patch.kind)) is not None and kind.adjust is not None
    ]


@contextmanager
def around(patches: Sequence[Patch], denoiser: LiveDenoiser) -> Iterator[None]:
    """What the patches change about the network itself, until the `with` ends."""
    with ExitStack() as stack:
        for patch in patches:
            kind = SAMPLING_KINDS.get(patch.kind)
            if kind is not None and kind.around is not None:
                stack.enter_context(kind.around(_record(kind, patch), network_of(denoiser)))
        yield


def patch_of(kind: str, record: BaseModel) -> Patch:
    """A record as a patch of that kind."""
    return Patch.of(kind, **record.model_dump())


def _record(kind: SamplingKind, patch: Patch) -> BaseModel:
    return kind.params.model_validate(dict(patch.params))
