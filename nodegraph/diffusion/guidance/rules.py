"""Guidance as formulas: predictions of one noisy latent in, one prediction out.

All take and give clean estimates x0 [B,C,h,w]. A rule whose weights sum to 1 is the same in x0, noise and
velocity, because each of them is an affine function of the others at fixed x and sigma; the rules that are
not say in which space they stand.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SMALL = 1e-8


def cfg(positive: Tensor, negative: Tensor, scale: float) -> Tensor:
    """negative + scale * (positive - negative): classifier-free guidance (Ho & Salimans 2022, equation 6).

    Their w is scale - 1: scale 1 is the positive prompt alone, 0 the negative.
    """
    return negative + scale * (positive - negative)


def dual_cfg(first: Tensor, second: Tensor, negative: Tensor, scale: float, second_scale: float) -> Tensor:
    """negative + second_scale * (second - negative) + scale * (first - second).

    InstructPix2Pix (Brooks et al. 2023, equation 3): `first` sees picture and text, `second` the picture
    alone, `negative` neither. With equal scales it is `cfg` of first and negative.
    """
    return negative + second_scale * (second - negative) + scale * (first - second)


def nested_cfg(first: Tensor, second: Tensor, negative: Tensor, scale: float, second_scale: float) -> Tensor:
    """`cfg` of (first, second), and what it gives as the positive of a `cfg` against the negative."""
    return cfg(cfg(first, second, scale), negative, second_scale)


def rescaled(guided: Tensor, positive: Tensor, amount: float) -> Tensor:
    """Bring the deviation of each image back to that of the positive prediction.

    Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", section 3.4:
    guided * std(positive) / std(guided), blended with guided by `amount` (their phi, 0.7). The paper
    applies it to what the network predicts, velocity: see `rescaled_at`.
    """
    axes = tuple(range(1, guided.ndim))
    factor = positive.std(axes, keepdim=True) / guided.std(axes, keepdim=True).clamp(min=_SMALL)
    return guided * (amount * factor + (1 - amount))


def rescaled_at(x: Tensor, guided: Tensor, positive: Tensor, share: Tensor | float, amount: float) -> Tensor:
    """`rescaled` in the space of velocity, on clean estimates.

    Velocity is share * x - x0 up to a factor, which the ratio of deviations does not see: share is
    1 / (sigma^2 + 1) where x = x0 + sigma * noise, and 1 for flow (x = (1 - sigma) * x0 + sigma * noise).
    """
    return share * x - rescaled(share * x - guided, share * x - positive, amount)


def cfg_pp_step(guided: Tensor, negative: Tensor, x: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """x at the next level: the guided estimate, noised again with the noise that the negative one sees.

    CFG++ (Chung et al. 2024, algorithm 2) in the form x = x0 + sigma * noise: guided + sigma_next *
    (x - negative) / sigma. Its lambda in 0 to 1 is the scale of `cfg`. At lambda 1 and equal
    predictions it is DDIM's step.
    """
    return guided + sigma_next * (x - negative) / sigma


def away_from(guided: Tensor, positive: Tensor, worse: Tensor, scale: float) -> Tensor:
    """guided + scale * (positive - worse): away from what a weakened network makes of the same prompt.

    Perturbed-attention guidance (Ahn et al. 2024), where the chosen self-attention maps are
    identities, and skip-layer guidance (Stability AI 2024, SD 3.5), where blocks are left out.
    """
    return guided + scale * (positive - worse)


def optimal_scale(positive: Tensor, negative: Tensor) -> Tensor:
    """<positive, negative> / |negative|^2 per image [B,1,1,1]: the s* of CFG-Zero*, on velocities."""
    axes = tuple(range(1, positive.ndim))
    dot = (positive * negative).sum(axes, keepdim=True)
    scale: Tensor = dot / (negative**2).sum(axes, keepdim=True).clamp(min=_SMALL)
    return scale


def cfg_zero_star(x: Tensor, positive: Tensor, negative: Tensor, scale: float) -> Tensor:
    """CFG with the negative velocity scaled to be nearest to the positive one.

    CFG-Zero* (Fan et al. 2025, "optimized scale"): v = s * v_neg + scale * (v_pos - s * v_neg), with s of
    `optimal_scale`. The velocity of a flow is (x - x0) / sigma, so x - x0 serves: sigma cancels.
    """
    toward: Tensor = x - positive
    away: Tensor = x - negative
    away = optimal_scale(toward, away) * away
    velocity: Tensor = cfg(toward, away, scale)
    return x - velocity


def norm_limited(guided: Tensor, positive: Tensor, strength: float) -> Tensor:
    """guided, made no longer than the positive prediction at any position (norm over channels).

    The renormalisation of Qwen-Image's pipeline (Wu et al. 2025); strength multiplies the result.
    """
    allowed = torch.linalg.vector_norm(positive, dim=1, keepdim=True)
    length = torch.linalg.vector_norm(guided, dim=1, keepdim=True)
    factor: Tensor = (allowed / (length + _SMALL)).clamp(0, 1) * strength
    return guided * factor
