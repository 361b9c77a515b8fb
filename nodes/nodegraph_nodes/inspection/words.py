"""Values in words: a line for what it is, and lines for what is in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING

from nodegraph.values import (
    Conditioning,
    ConditioningEntry,
    Guider,
    Image,
    Latent,
    LatentFormat,
    Mask,
    Model,
    Noise,
    Recipe,
    Sampler,
    Sigmas,
    TextEncoder,
    Vae,
)

if TYPE_CHECKING:
    from torch import Tensor

MOST = 12
"""Items of a list, entries of a conditioning and levels of a schedule that are told one by one."""
LONGEST = 4_000


@singledispatch
def words_of(value: object) -> list[str]:
    """What a value is, in lines: the first alone says it in short."""
    return [type(value).__name__]


@words_of.register
def _(value: Image) -> list[str]:
    width, height = value.size
    kind = "RGBA" if value.pixels.shape[-1] == 4 else "RGB"
    pictures = _count(value.pixels.shape[0], "picture")
    return [f"{pictures}, {width} × {height}, {kind}", _numbers(value.pixels), _place(value.pixels)]


@words_of.register
def _(value: Mask) -> list[str]:
    count, height, width = value.values.shape
    share = float(value.values.float().mean()) if value.values.numel() else 0.0
    covered = f"{share:.1%} of the area counts"
    return [f"{_count(count, 'mask')}, {width} × {height}", covered, _place(value.values)]


@words_of.register
def _(value: Latent) -> list[str]:
    count, channels, height, width = value.samples.shape
    down = value.format.down
    lines = [
        f"{_count(count, 'latent')}, {channels} × {height} × {width}",
        f"{_format(value.format)}: a picture of {width * down} × {height * down}",
        _numbers(value.samples),
        _place(value.samples),
    ]
    if value.noise_mask is not None:
        lines.append(f"noise mask: {', '.join(words_of(value.noise_mask)[:2])}")
    if value.batch_index is not None:
        lines.append(f"noise of pictures {', '.join(map(str, value.batch_index))}")
    return lines


@words_of.register
def _(value: Conditioning) -> list[str]:
    lines = [_count(len(value.entries), "prompt")]
    for number, entry in enumerate(value.entries[:MOST], 1):
        lines.append(f"{number}: {', '.join(_entry(entry))}")
    return lines + _rest(len(value.entries))


def _entry(entry: ConditioningEntry) -> list[str]:
    tokens = entry.tokens.shape
    told = [f"{tokens[-2]} tokens × {tokens[-1]}"]
    if entry.pooled is not None:
        told.append(f"pooled {entry.pooled.shape[-1]}")
    if entry.strength != 1:
        told.append(f"strength {entry.strength:g}")
    if entry.area is not None:
        area, of = entry.area, "" if entry.area.unit == "pixels" else " of the sides"
        told.append(f"area {area.width:g} × {area.height:g} at {area.x:g}, {area.y:g}{of}")
    if entry.mask is not None:
        told.append(f"mask of strength {entry.mask_strength:g}")
    if (entry.start, entry.end) != (0, 1):
        told.append(f"from {entry.start:.0%} to {entry.end:.0%} of the steps")
    if entry.guidance is not None:
        told.append(f"guidance {entry.guidance:g}")
    if entry.beside is not None:
        told.append("a latent picture beside")
    if entry.references:
        told.append(_count(len(entry.references), "reference"))
    if entry.sizes is not None:
        told.append(f"sizes {', '.join(f'{size:g}' for size in entry.sizes)}")
    return told


@words_of.register
def _(value: Sigmas) -> list[str]:
    levels = [float(level) for level in value.values]
    if not levels:
        return ["no noise levels"]
    shown = ", ".join(f"{level:.4g}" for level in levels[:MOST])
    more = ", …" if len(levels) > MOST else ""
    first = f"{_count(len(levels) - 1, 'step')}, from {levels[0]:.4g} to {levels[-1]:.4g}"
    return [first, f"noise levels: {shown}{more}"]


@words_of.register
def _(value: Recipe) -> list[str]:
    lines = [value.base.name or "a model file", f"family {value.family}", f"content {value.base.hash[:12]}"]
    if isinstance(value, Model):
        lines.append(f"prediction {value.prediction}, schedule {value.schedule.kind}")
        lines.append(_format(value.latent_format))
    if isinstance(value, Vae):
        lines.append(_format(value.latent_format))
    if isinstance(value, TextEncoder):
        lines += [f"with {other.name}" for other in value.others]
        if value.layers_skipped is not None:
            lines.append(f"{_count(value.layers_skipped, 'layer')} skipped")
    for patch in value.patches:
        params = ", ".join(f"{name} {_short(param)}" for name, param in patch.params)
        lines.append(f"patch {patch.kind}: {params}")
    return lines


@words_of.register
def _(value: Guider) -> list[str]:
    lines = [f"rule {value.rule}", f"model {words_of(value.model)[0]}"]
    lines += [f"{name} {_short(option)}" for name, option in value.options]
    return lines + [f"{name}: {'; '.join(words_of(prompt)[1:])}" for name, prompt in value.prompts]


@words_of.register
def _(value: Sampler) -> list[str]:
    return [value.name, *(f"{name} {_short(option)}" for name, option in value.options)]


@words_of.register
def _(value: Noise) -> list[str]:
    return [f"seed {value.seed}", "" if value.initial else "no noise at the start"]


@words_of.register
def _(value: str) -> list[str]:
    words = f"{_count(len(value), 'letter')}, {_count(len(value.split()), 'word')}"
    return [words, value if len(value) <= LONGEST else f"{value[:LONGEST]}…"]


@words_of.register
def _(value: bool) -> list[str]:
    return ["true" if value else "false"]


@words_of.register(int)
@words_of.register(float)
def _(value: float) -> list[str]:
    return [str(value)]


@words_of.register
def _(value: None) -> list[str]:  # noqa: ARG001 - there is nothing in it
    return ["nothing"]


@words_of.register(list)
@words_of.register(tuple)
def _(value: Sequence[object]) -> list[str]:
    items = [f"{number}: {words_of(item)[0]}" for number, item in enumerate(value[:MOST], 1)]
    return [f"list of {len(value)}", *items, *_rest(len(value))]


@words_of.register(dict)
def _(value: Mapping[str, object]) -> list[str]:
    return [_count(len(value), "value"), *(f"{name}: {words_of(item)[0]}" for name, item in value.items())]


def _numbers(tensor: Tensor) -> str:
    """Range, mean and deviation. What is no number is told, since it spoils all that is made from it."""
    import torch

    if not tensor.numel():
        return "empty"
    values = tensor.float()
    finite = values[torch.isfinite(values)]
    bad = values.numel() - finite.numel()
    told = f"{bad} values are no numbers (NaN or infinite)" if bad else ""
    if not finite.numel():
        return told
    low, high, mean = float(finite.min()), float(finite.max()), float(finite.mean())
    spread = float(finite.std(unbiased=False))
    numbers = f"{low:.3g} to {high:.3g}, mean {mean:.3g}, deviation {spread:.3g}"
    return f"{numbers}; {told}" if told else numbers


def _place(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} on {tensor.device}"


def _format(form: LatentFormat) -> str:
    return f"latent format {form.name} ({form.channels} channels, 1 : {form.down})"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else str(value)
    text = str(value)
    return text if len(text) <= 24 else f"{text[:12]}…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rest(count: int) -> list[str]:
    return [f"and {count - MOST} more"] if count > MOST else []
