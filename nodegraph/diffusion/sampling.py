"""One run of a sampler: from a latent, two prompts and a seed to a new latent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nodegraph.diffusion.guidance import guided
from nodegraph.diffusion.inpaint import latent_mask, masked
from nodegraph.diffusion.noise import BrownianNoise, OnDevice, Shape, WhiteNoise, initial_noise
from nodegraph.diffusion.samplers.kinds import Brownian
from nodegraph.diffusion.schedulers import levels_for
from nodegraph.errors import InputError, NodegraphError
from nodegraph.runtime import LiveDenoiser, Sampler, Scheduler, StepNoise
from nodegraph.values import Conditioning, Latent

OnRunStep = Callable[[int, int, Tensor], None]
"""Called after every step with its index, the number of steps, and x0 in the VAE's own space."""


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
    on_step: OnRunStep | None = None,
) -> Latent:
    """A new latent that follows the prompts, on the device of the given one.

    steps >= 1; denoise 0 to 1 is the part of the schedule that is run (0 gives the latent back as it is,
    1 starts from pure noise); seed 0 to 2^64 - 1. `on_step` may raise to stop the run. With a noise mask
    the rest of the latent comes back exactly as it was. Image i of a batch is the image made alone with
    batch index i (noise exactly, result up to rounding).

    InputError: a value out of range, or prompts that do not fit the model. NodegraphError with code
    `not_finite`: the result has infinities or NaNs.
    """
    _check(seed, steps, cfg, denoise)
    noising = denoiser.noising
    sigmas = levels_for(scheduler, noising, steps, denoise)
    if len(sigmas) < 2:
        return latent
    space, device = latent.format, denoiser.device
    original = (latent.samples.to(device, torch.float32) - space.shift) * space.scale
    batch, channels, height, width = original.shape
    shape = (channels, height, width)
    noise = initial_noise(seed, latent.indices, shape).to(device)
    x = noising.noised(original, noise, sigmas[0], full=_at_the_top(sigmas, noising.table))

    predict = guided(denoiser, positive, negative, cfg, batch)
    mask = None if latent.noise_mask is None else latent_mask(latent.noise_mask, original)
    if mask is not None:
        predict = masked(predict, noising, original, noise, mask)

    def report(step: int, _: Tensor, x0: Tensor) -> None:
        if on_step is not None:
            on_step(step, len(sigmas) - 1, x0 / space.scale + space.shift)

    step_noise = OnDevice(_step_noise(sampler, seed, latent.indices, shape, sigmas), device)
    x = noising.clean(sampler(predict, x, sigmas, step_noise, report), sigmas[-1])
    _check_finite(x)
    samples = (x / space.scale + space.shift).to(latent.samples.device)
    if mask is not None:  # rounding must not touch what was to be kept
        samples = torch.where(mask.to(samples.device) == 0, latent.samples.to(samples.dtype), samples)
    return latent.with_samples(samples)


def _check(seed: int, steps: int, cfg: float, denoise: float) -> None:
    if not 0 <= seed < 2**64:
        raise InputError("the seed is out of range", input="seed", expected="0 to 2^64 - 1", found=str(seed))
    if steps < 1:
        raise InputError("there are no steps to take", input="steps", expected="1 or more", found=str(steps))
    if not 0 <= denoise <= 1:
        raise InputError("denoise is out of range", input="denoise", expected="0 to 1", found=str(denoise))
    if not math.isfinite(cfg):
        raise InputError("cfg is no number", input="cfg", expected="a finite number", found=str(cfg))


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
