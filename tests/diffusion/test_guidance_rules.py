"""Guidance formulas against closed forms and their papers' algebra."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.guidance import rules


def pictures(count: int, seed: int = 0) -> list[Tensor]:
    return list(torch.randn(count, 2, 4, 6, 5, generator=torch.Generator().manual_seed(seed)).double())


def test_cfg_runs_from_negative_through_positive() -> None:
    positive, negative = pictures(2)
    for scale, expected in ((0.0, negative), (1.0, positive), (3.0, 3 * positive - 2 * negative)):
        assert torch.allclose(rules.cfg(positive, negative, scale), expected)


def test_dual_cfg_is_the_equation_of_instruct_pix2pix() -> None:
    both, picture, nothing = pictures(3)
    text_scale, picture_scale = 7.5, 1.5
    expected = nothing + picture_scale * (picture - nothing) + text_scale * (both - picture)
    assert torch.allclose(rules.dual_cfg(both, picture, nothing, text_scale, picture_scale), expected)
    equal = rules.dual_cfg(both, picture, nothing, 4.0, 4.0)
    assert torch.allclose(equal, rules.cfg(both, nothing, 4.0))


def test_nested_cfg_guides_what_was_guided() -> None:
    first, second, negative = pictures(3)
    inner = second + 3 * (first - second)
    expected = negative + 2 * (inner - negative)
    assert torch.allclose(rules.nested_cfg(first, second, negative, 3.0, 2.0), expected)


def test_rescaling_brings_back_the_deviation_of_the_positive() -> None:
    positive, guided = pictures(2)
    guided = guided * 7
    full = rules.rescaled(guided, positive, 1.0)
    assert torch.allclose(full.std((1, 2, 3)), positive.std((1, 2, 3)))
    assert torch.equal(rules.rescaled(guided, positive, 0.0), guided)
    assert torch.allclose(rules.rescaled(guided, positive, 0.7), 0.7 * full + 0.3 * guided)


@pytest.mark.parametrize("sigma", [0.05, 1.0, 14.6])
def test_rescaling_on_estimates_is_rescaling_of_velocities(sigma: float) -> None:
    """Velocity of Salimans & Ho 2022 in the form x = x0 + sigma * noise, there and back."""
    x, positive, guided = pictures(3)
    root = (sigma**2 + 1) ** 0.5

    def velocity(x0: Tensor) -> Tensor:
        alpha, deviation = 1 / root, sigma / root
        made: Tensor = alpha * (x - x0) / sigma - deviation * x0
        return made

    made = rules.rescaled_at(x, guided, positive, 1 / (sigma**2 + 1), 0.7)
    assert torch.allclose(velocity(made), rules.rescaled(velocity(guided), velocity(positive), 0.7))


def test_rescaling_on_estimates_of_a_flow() -> None:
    x, positive, guided = pictures(3)
    sigma = 0.3
    made = rules.rescaled_at(x, guided, positive, 1.0, 0.7)
    expected = rules.rescaled((x - guided) / sigma, (x - positive) / sigma, 0.7)
    assert torch.allclose((x - made) / sigma, expected)


def test_cfg_plus_plus_noises_again_with_the_negative() -> None:
    """Algorithm 2 of the paper, in its own variables: x_t = sqrt(a) x0 + sqrt(1 - a) eps."""
    x_t, positive, negative = pictures(3)
    alpha, alpha_next, scale = torch.tensor(0.3).double(), torch.tensor(0.6).double(), 0.6
    mixed = negative + scale * (positive - negative)  # predictions of noise
    clean = (x_t - (1 - alpha).sqrt() * mixed) / alpha.sqrt()
    expected = alpha_next.sqrt() * clean + (1 - alpha_next).sqrt() * negative

    sigma, sigma_next = ((1 - alpha) / alpha).sqrt(), ((1 - alpha_next) / alpha_next).sqrt()
    x = x_t / alpha.sqrt()
    estimates = [x - sigma * eps for eps in (positive, negative)]
    made = rules.cfg_pp_step(rules.cfg(estimates[0], estimates[1], scale), estimates[1], x, sigma, sigma_next)
    assert torch.allclose(made * alpha_next.sqrt(), expected)


def test_guidance_away_from_a_weaker_network() -> None:
    guided, positive, worse = pictures(3)
    assert torch.allclose(rules.away_from(guided, positive, worse, 3.0), guided + 3 * (positive - worse))
    assert torch.equal(rules.away_from(guided, positive, positive, 3.0), guided)


def test_the_scale_of_cfg_zero_star_makes_the_rest_orthogonal() -> None:
    positive, negative = pictures(2)
    scale = rules.optimal_scale(positive, negative)
    assert scale.shape == (2, 1, 1, 1)
    rest = positive - scale * negative
    assert torch.allclose((rest * negative).sum((1, 2, 3)), torch.zeros(2).double(), atol=1e-10)


def test_cfg_zero_star_is_the_papers_velocity() -> None:
    x, positive, negative = pictures(3)
    sigma = 0.4
    toward, away = (x - positive) / sigma, (x - negative) / sigma
    scale = (toward * away).sum((1, 2, 3), keepdim=True) / (away**2).sum((1, 2, 3), keepdim=True)
    expected = (1 - 5.0) * scale * away + 5.0 * toward  # the optimized scale, with w = 5
    made = rules.cfg_zero_star(x, positive, negative, 5.0)
    assert torch.allclose((x - made) / sigma, expected)


def test_limiting_the_norm_never_lengthens() -> None:
    positive, guided = pictures(2)
    made = rules.norm_limited(guided * 5, positive, 1.0)
    assert torch.allclose(made.norm(dim=1), torch.minimum((guided * 5).norm(dim=1), positive.norm(dim=1)))
    short = rules.norm_limited(positive / 2, positive, 1.0)
    assert torch.allclose(short, positive / 2)
