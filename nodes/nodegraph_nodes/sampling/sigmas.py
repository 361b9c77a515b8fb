"""Noise levels as values: made, cut, turned round and drawn."""

from __future__ import annotations

import math
import re
from typing import Annotated, NamedTuple

from pydantic import Field

from nodegraph import Context, Image, Latent, Model, Sigmas, node
from nodegraph.errors import InputError
from nodegraph_nodes.sampling.sample import Denoise, SchedulerName, Steps

Numbers = Annotated[str, Field(description="noise levels from high to low, such as 14.6, 5.2, 1, 0")]
Side = Annotated[int, Field(ge=64, le=4096, description="pixels")]


class Halves(NamedTuple):
    """Two schedules that share the level where they were cut."""

    high: Sigmas
    low: Sigmas


@node("sigmas.schedule", category="Sampling/Sigmas", title="Schedule", lane="device")
def schedule(
    ctx: Context,
    model: Model,
    scheduler: SchedulerName = "normal",
    steps: Steps = 20,
    denoise: Denoise = 1.0,
    latent: Latent | None = None,
) -> Sigmas:
    """The noise levels of a scheduler for a model. The latent is for schedulers that depend on its size."""
    from nodegraph.diffusion.sampling import latent_size
    from nodegraph.diffusion.schedulers import levels_for

    chosen = ctx.choice("schedulers", scheduler)
    size = None if latent is None else latent_size(latent)
    with ctx.models.use(model) as denoiser:
        return Sigmas(levels_for(chosen, denoiser.noising, steps, denoise, size))


@node("sigmas.from_text", category="Sampling/Sigmas", title="Sigmas from text", lane="cpu")
def from_text(text: Numbers = "1, 0.5, 0") -> Sigmas:
    """Noise levels written as numbers, with commas or spaces between them."""
    words = [word for word in re.split(r"[\s,;\[\]]+", text) if word]
    levels = [_number(word) for word in words]
    if not levels:
        raise InputError("there are no numbers", input="text", expected="numbers, such as 14.6, 1, 0")
    return _of(levels)


@node("sigmas.from_list", category="Sampling/Sigmas", title="Sigmas from list", lane="cpu")
def from_list(levels: list[float]) -> Sigmas:
    """A list of numbers as noise levels."""
    if not levels:
        raise InputError("there are no numbers", input="levels", expected="at least one number")
    return _of(levels)


@node("sigmas.split", category="Sampling/Sigmas", title="Split sigmas", lane="cpu")
def split(sigmas: Sigmas, step: Annotated[int, Field(ge=0, le=10000)] = 0) -> Halves:
    """Cut a schedule before a step; both parts have the level at the cut."""
    step = min(step, len(sigmas.values) - 1)
    return Halves(Sigmas(sigmas.values[: step + 1]), Sigmas(sigmas.values[step:]))


@node("sigmas.split_denoise", category="Sampling/Sigmas", title="Split sigmas by denoise", lane="cpu")
def split_denoise(sigmas: Sigmas, denoise: Denoise = 1.0) -> Halves:
    """Cut a schedule so that the low part has this fraction of the steps, rounded."""
    steps = len(sigmas.values) - 1
    return split(sigmas, steps - round(steps * denoise))


@node("sigmas.flip", category="Sampling/Sigmas", title="Flip sigmas", lane="cpu")
def flip(sigmas: Sigmas) -> Sigmas:
    """Turn a schedule round, to add noise by a sampler. A 0 at its start becomes 0.0001: no step leaves 0."""
    flipped = sigmas.values.flip(0)
    if len(flipped) and flipped[0] == 0:
        flipped[0] = 0.0001
    return Sigmas(flipped)


@node("sigmas.plot", category="Sampling/Sigmas", title="Plot sigmas")
def plot(sigmas: Sigmas, width: Side = 512, height: Side = 320) -> Image:
    """Draw a schedule: noise level against step."""
    from nodegraph_nodes.sampling.plot import draw_levels

    return draw_levels(sigmas.values.tolist(), width, height)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise InputError(
            f"'{word}' is no number", input="text", expected="numbers, such as 14.6, 1, 0", found=f"'{word}'"
        ) from None


def _of(levels: list[float]) -> Sigmas:
    import torch

    bad = next((level for level in levels if not math.isfinite(level) or level < 0), None)
    if bad is not None:
        raise InputError(
            "a noise level is negative or infinite", expected="numbers of at least 0", found=str(bad)
        )
    return Sigmas(torch.tensor(levels, dtype=torch.float32))
