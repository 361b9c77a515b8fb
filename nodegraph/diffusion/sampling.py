"""One run of a sampler: from a latent, prompts and a seed to a new latent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.guided import Guided
from nodegraph.diffusion.guidance.guiders import rule_of
from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.guidance.patches import adjustments, around
from nodegraph.diffusion.inpaint import Masked, latent_mask
from nodegraph.diffusion.noise import BrownianNoise, OnDevice, Shape, WhiteNoise, initial_noise
from nodegraph.diffusion.samplers.kinds import Brownian, ModelDenoise, WithoutPenultimate
from nodegraph.diffusion.schedulers import levels_for, without_penultimate
from nodegraph.errors import InputError, NodegraphError
from nodegraph.runtime import LiveDenoiser, Sampler, Scheduler, StepNoise
from nodegraph.values import Conditioning, Guider, Latent, Noise, Patch

OnRunStep = Callable[[int, int, Tensor], None]
"""Called after every step with its index, the number of steps, and x0 in the VAE's own space."""


@dataclass(frozen=True, eq=False, slots=True)
class Guidance:
    """Prompts by name, the rule that makes one prediction of theirs, and the model's patches.

    rule and options are those of a `nodegraph.values.Guider`.
    """

    rule: str
    prompts: Mapping[str, Conditioning]
    options: Mapping[str, Any] = field(default_factory=dict)
    patches: Sequence[Patch] = ()

    @classmethod
    def of(cls, guider: Guider) -> Guidance:
        """What a value says."""
        return cls(guider.rule, dict(guider.prompts), dict(guider.options), guider.model.patches)

    def follow(self, denoiser: LiveDenoiser, like: Tensor, down: int, sigmas: Tensor) -> Denoise:
        """What a sampler asks; like: latents [B,C,h,w] on the device, of `down` pixels a cell."""
        rule = rule_of(self.rule, self.options)
        return Guided(
            denoiser, self.prompts, rule, like,
            down=down, sigmas=sigmas.tolist(), adjust=adjustments(self.patches), options=self.options,
        )  # fmt: skip


class Sampled(NamedTuple):
    """What a run gives: the latent at the last level, and the last clean estimate."""

    latent: Latent
    denoised: Latent


@torch.no_grad()
def sample(
    denoiser: LiveDenoiser,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    *,
    seed: int,
    steps: int,
    cfg: float,
    sampler: Sampler,
    scheduler: Scheduler,
    denoise: float = 1.0,
    patches: Sequence[Patch] = (),
    on_step: OnRunStep | None = None,
) -> Latent:
    """A new latent that follows the prompts, on the device of the given one.

    steps >= 1; denoise 0 to 1 is the part of the schedule that is run (0 gives the latent back as it is,
    1 starts from pure noise); seed 0 to 2^64 - 1; patches: those of the model's recipe. `on_step` may raise
    to stop the run. With a noise mask the rest of the latent comes back exactly as it was. Image i of a
    batch is the image made alone with batch index i (noise exactly, result up to rounding).

    InputError: a value out of range, or prompts that do not fit the model. NodegraphError with code
    `not_finite`: the result has infinities or NaNs.
    """
    check_range("steps", steps, 1, math.inf, "1 or more")
    check_range("denoise", denoise, 0, 1, "0 to 1")
    check_range("cfg", cfg, -math.inf, math.inf, "a finite number")
    sigmas = run_levels(denoiser, scheduler, steps, denoise, latent, sampler)
    plan = Guidance("cfg", {"positive": positive, "negative": negative}, {"cfg": cfg}, patches)
    return sample_levels(denoiser, plan, latent, sigmas, Noise(seed), sampler, on_step=on_step).latent


def run_levels(
    denoiser: LiveDenoiser,
    scheduler: Scheduler,
    steps: int,
    denoise: float,
    latent: Latent,
    sampler: Sampler | None = None,
) -> Tensor:
    """The levels of a run with a scheduler: what `sample` follows. Some samplers leave out one of them."""
    if isinstance(sampler, WithoutPenultimate):
        scheduler = without_penultimate(scheduler)
    return levels_for(scheduler, denoiser.noising, steps, denoise, latent_size(latent))


def stage_of(levels: Tensor, start: int, end: int, *, clean: bool) -> Tensor:
    """The levels of the steps from `start` up to, not including, `end`.

    `clean` lets the last of them go to 0. A stage that starts behind the last step has no level.
    """
    steps = len(levels) - 1
    if start >= min(steps, end):
        return levels[:0]
    part = levels[start : end + 1].clone()
    if clean and end < steps:
        part[-1] = 0
    return part


def latent_size(latent: Latent) -> tuple[int, int]:
    """Height and width in cells."""
    return int(latent.samples.shape[2]), int(latent.samples.shape[3])


@torch.no_grad()
def sample_levels(
    denoiser: LiveDenoiser,
    guidance: Guidance,
    latent: Latent,
    sigmas: Tensor,
    noise: Noise,
    sampler: Sampler,
    *,
    on_step: OnRunStep | None = None,
) -> Sampled:
    """Follow given noise levels [n+1], descending; what remains at the last level stays in the result.

    With `noise.initial` the latent is noised to the first level; without, it is taken as it is: what a run
    that stopped at that level left. Two runs over [a..b] and [b..c] are one over [a..c] for every sampler
    that remembers nothing between steps. Fewer than two levels give the latent back.
    """
    check_range("seed", noise.seed, 0, 2**64 - 1, "0 to 2^64 - 1")
    noising = denoiser.noising
    if len(sigmas) < 2:
        return Sampled(latent, latent)
    space, device = latent.format, denoiser.device
    original = (latent.samples.to(device, torch.float32) - space.shift) * space.scale
    shape = (original.shape[1], original.shape[2], original.shape[3])
    unit = torch.zeros_like(original)
    if noise.initial:
        unit = initial_noise(noise.seed, latent.indices, shape).to(device)
    x = noising.noised(original, unit, sigmas[0], full=_at_the_top(sigmas, noising.table))

    predict = guidance.follow(denoiser, original, space.down, sigmas)
    mask = None if latent.noise_mask is None else latent_mask(latent.noise_mask, original)
    if mask is not None:
        predict = Masked(predict, noising, original, unit, mask)
    last = original

    def report(step: int, _: Tensor, x0: Tensor) -> None:
        nonlocal last
        last = x0
        if on_step is not None:
            on_step(step, len(sigmas) - 1, x0 / space.scale + space.shift)

    step_noise = OnDevice(_step_noise(sampler, noise.seed, latent.indices, shape, sigmas), device)
    with around(guidance.patches, denoiser):
        x = sampler(ModelDenoise(predict, noising), x, sigmas, step_noise, report)
    x = noising.clean(x, sigmas[-1])
    _check_finite(x)

    def back(made: Tensor) -> Latent:
        samples = (made / space.scale + space.shift).to(latent.samples.device)
        if mask is not None:  # rounding must not touch what was to be kept
            samples = torch.where(mask.to(samples.device) == 0, latent.samples.to(samples.dtype), samples)
        return latent.with_samples(samples)

    return Sampled(back(x), back(last))


def check_range(name: str, value: float, low: float, high: float, expected: str) -> None:
    """InputError where a number is none, infinite, or outside its range."""
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{name} is out of range", input=name, expected=expected, found=str(value))


def _at_the_top(sigmas: Tensor, table: Tensor) -> bool:
    sigma, top = float(sigmas[0]), float(table[-1])
    return sigma > top or math.isclose(sigma, top, rel_tol=1e-5)


def _step_noise(
    sampler: Sampler, seed: int, indices: Sequence[int], shape: Shape, sigmas: Tensor
) -> StepNoise:
    levels = sigmas[sigmas > 0]
    if isinstance(sampler, Brownian) and len(levels) > 1:
        return BrownianNoise(seed, indices, shape, float(levels.min()), float(levels.max()))
    return WhiteNoise(seed, indices, shape)


def _check_finite(x: Tensor) -> None:
    if not bool(torch.isfinite(x).all()):
        raise NodegraphError(
            "sampling gave infinities or NaNs instead of a picture",
            code="not_finite",
            remedy="Run with dtype float32 (or bfloat16 on a GPU), lower cfg, or check the LoRAs.",
        )
