"""DPM-Solver in single steps of order 1, 2 and 3, with fixed or adaptive steps, over t = -log sigma.

Lu et al. 2022, "DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps".
Both samplers take their own levels between the first of a run and the last above zero, and end there: what
little noise that level has is left in the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nodegraph.diffusion.guidance.kinds import Denoise
from nodegraph.diffusion.samplers.kinds import OnStep
from nodegraph.runtime import StepNoise

Eps = Callable[[Tensor, Tensor], Tensor]
"""x and t -> the noise in x, (x - x0) / sigma."""


def dpm_fast(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, on_step: OnStep) -> Tensor:
    """DPM-Solver-fast: as many evaluations as the run has steps, in steps of order 3 and a shorter last.

    Lu et al. 2022, appendix D.4 (there with orders 2 and 1 at the end where the number divides by 3). Even
    steps in log sigma. Order 3 where the number of evaluations leaves a remainder of 2 by 3, else 2.
    """
    count = len(sigmas) - 1
    if count < 1:
        return x
    start, end = _range(sigmas)
    if start == end:  # a single level: there is no way to go but to the estimate
        x0 = denoise(x, sigmas[0])
        on_step(0, x0, x0)
        return x0
    orders = [3] * (count // 3 - 1) + [2, 1] if count % 3 == 0 else [3] * (count // 3) + [count % 3]
    times = torch.linspace(float(start), float(end), len(orders) + 1, dtype=sigmas.dtype)
    done = 0
    for order, t, t_next in zip(orders, times[:-1], times[1:], strict=True):
        eps = _noise_of(denoise)
        first = eps(x, t)
        x0 = x - t.neg().exp() * first
        if order == 1:
            x = _first(x, first, t, t_next)
        elif order == 2:
            x = _second(x, first, _middle(eps, x, first, t, t_next, 1 / 2), t, t_next, 1 / 2)
        else:
            x = _third(eps, x, first, _middle(eps, x, first, t, t_next, 1 / 3), t, t_next)
        done += order
        on_step(done - 1, x, x0)
    return x


def dpm_adaptive(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    on_step: OnStep,
    rtol: float = 0.05,
    atol: float = 0.0078,
    h_init: float = 0.05,
    accept_safety: float = 0.81,
) -> Tensor:
    """DPM-Solver-23: steps of order 3, as long as their difference from order 2 allows.

    Lu et al. 2022, section 4.1 and appendix C; the length follows an integrating controller with the limiter
    1 + arctan (Söderlind 2003). rtol and atol bound the error of a step, h_init is the first step in
    log sigma. Only the first and the last level of the run count. Every image of a batch takes its own steps,
    one image after another, so that it equals the image made alone. Three denoiser calls per step tried.
    """
    if len(sigmas) < 2:
        return x
    start, end = _range(sigmas)
    if start == end:
        x0 = denoise(x, sigmas[0])
        on_step(0, x0, x0)
        return x0
    x, last = x.clone(), len(sigmas) - 2
    estimates = x.clone()
    for image in range(x.shape[0]):
        eps = _noise_of(denoise, x, image)
        current = previous = x[image : image + 1]
        t, h = start, h_init
        while t < end - 1e-5:
            t_next = torch.minimum(end, t + h)
            first = eps(current, t)
            middle = _middle(eps, current, first, t, t_next, 1 / 3)
            low = _second(current, first, middle, t, t_next, 1 / 3)
            high = _third(eps, current, first, middle, t, t_next)
            allowed = (rtol * torch.maximum(low.abs(), previous.abs())).clamp(min=atol)
            error = float(((low - high) / allowed).norm()) / math.sqrt(low.numel())
            factor = 1 + math.atan((1 / (error + 1e-8)) ** (1 / 3) - 1)
            if factor >= accept_safety:
                estimates[image] = (current - t.neg().exp() * first)[0]
                current, previous, t = high, low, t_next
                part = float((t - start) / (end - start))
                x[image] = current[0]
                index = min(last, int((image + part) / x.shape[0] * (last + 1)))
                on_step(index, x.clone(), estimates.clone())
            h *= factor
    return x


def _range(sigmas: Tensor) -> tuple[Tensor, Tensor]:
    """t of the first level and of the last one above zero."""
    end = sigmas[-1] if sigmas[-1] > 0 else sigmas[-2]
    return -sigmas[0].log(), -end.log()


def _noise_of(denoise: Denoise, batch: Tensor | None = None, image: int = 0) -> Eps:
    """The noise in x. With a batch: in its image number `image`, the others staying as they are."""

    def eps(x: Tensor, t: Tensor) -> Tensor:
        sigma = t.neg().exp()
        if batch is None:
            return (x - denoise(x, sigma)) / sigma
        together = batch.clone()
        together[image] = x[0]
        return (x - denoise(together, sigma)[image : image + 1]) / sigma

    return eps


def _first(x: Tensor, eps: Tensor, t: Tensor, t_next: Tensor) -> Tensor:
    """Equation 3.7: the exact step for constant noise."""
    return x - t_next.neg().exp() * (t_next - t).expm1() * eps


def _middle(eps: Eps, x: Tensor, first: Tensor, t: Tensor, t_next: Tensor, part: float) -> Tensor:
    """The noise at a part of the way, reached by a step of order 1."""
    middle = t + part * (t_next - t)
    return eps(_first(x, first, t, middle), middle)


def _second(x: Tensor, first: Tensor, middle: Tensor, t: Tensor, t_next: Tensor, part: float) -> Tensor:
    """Algorithm 4 of the paper: order 2 from the noise here and at a part of the way."""
    grown = t_next.neg().exp() * (t_next - t).expm1()
    return x - grown * first - grown / (2 * part) * (middle - first)


def _third(eps: Eps, x: Tensor, first: Tensor, middle: Tensor, t: Tensor, t_next: Tensor) -> Tensor:
    """Algorithm 2 of the paper: order 3 from the noise here, at 1/3 (`middle`) and at 2/3 of the way."""
    h = t_next - t
    later = t + h * 2 / 3
    bend = (h * 2 / 3).expm1() / (h * 2 / 3) - 1
    there = _first(x, first, t, later) - later.neg().exp() * 2 * bend * (middle - first)
    second = eps(there, later)
    return _first(x, first, t, t_next) - t_next.neg().exp() * 1.5 * (h.expm1() / h - 1) * (second - first)
