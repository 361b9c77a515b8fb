"""Samplers on Gaussian data, where the denoiser and the solution are known exactly.

For x0 ~ N(mu, s^2) the posterior mean is D(x, sigma) = (s^2 x + sigma^2 mu) / (s^2 + sigma^2), and the
probability flow keeps (x - mu) / sqrt(s^2 + sigma^2) constant.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.samplers import SAMPLERS, Brownian, dpmpp_2m, dpmpp_2m_sde, euler, euler_ancestral
from nodegraph.diffusion.samplers.lcm import lcm
from nodegraph.runtime import Sampler, StepNoise

MU, S = 0.7, 0.5
HIGH, LOW = 10.0, 0.1


def exact(x: Tensor, sigma: Tensor) -> Tensor:
    return (S**2 * x + sigma**2 * MU) / (S**2 + sigma**2)


def levels(steps: int, low: float = LOW) -> Tensor:
    return torch.logspace(math.log10(HIGH), math.log10(low), steps + 1, dtype=torch.float64)


def silent(_step: int, _x: Tensor, _x0: Tensor) -> None:
    """A step that nobody watches."""


def no_noise(sigma: float, sigma_next: float) -> Tensor:
    raise AssertionError(f"a deterministic sampler asked for noise from {sigma} to {sigma_next}")


def fresh_noise(shape: tuple[int, ...], seed: int) -> StepNoise:
    generator = torch.Generator().manual_seed(seed)

    def noise(sigma: float, sigma_next: float) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return noise


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpmpp_2m", 2)])
def test_order_of_convergence(name: str, order: int) -> None:
    start = torch.linspace(-20.0, 20.0, 9, dtype=torch.float64).view(1, 1, 3, 3)
    truth = MU + (start - MU) * math.sqrt((S**2 + LOW**2) / (S**2 + HIGH**2))
    errors = [
        float((SAMPLERS[name](exact, start, levels(steps), no_noise, silent) - truth).abs().max())
        for steps in (40, 80, 160)
    ]
    orders = [math.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert orders[-1] == pytest.approx(order, abs=0.2), (errors, orders)
    assert errors[-1] < 0.1**order


@pytest.mark.parametrize("name", ["euler_ancestral", "dpmpp_2m_sde"])
def test_stochastic_samplers_keep_the_marginal(name: str) -> None:
    shape = (1, 1, 300, 300)
    start = MU + torch.randn(
        shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    ) * math.sqrt(S**2 + HIGH**2)
    x = SAMPLERS[name](exact, start, levels(300), fresh_noise(shape, 2), silent)
    assert float(x.mean()) == pytest.approx(MU, abs=0.01)
    assert float(x.var()) == pytest.approx(S**2 + LOW**2, rel=0.03)


def test_lcm_follows_its_variance_recursion() -> None:
    shape = (1, 1, 300, 300)
    sigmas = torch.tensor([10.0, 1.0, 0.5, 0.2], dtype=torch.float64)
    start = MU + torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
    expected = 25.0
    for sigma, following in itertools.pairwise(sigmas):
        expected = float((S**2 / (S**2 + sigma**2)) ** 2 * expected + following**2)
    x = lcm(exact, start, sigmas, fresh_noise(shape, 2), silent)
    assert float(x.var()) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("stochastic", "deterministic"),
    [(euler_ancestral, euler), (dpmpp_2m_sde, dpmpp_2m)],
    ids=["euler", "dpm"],
)
def test_without_noise_the_stochastic_sampler_is_the_deterministic_one(
    stochastic: Callable[..., Tensor], deterministic: Sampler
) -> None:
    start = torch.linspace(-20.0, 20.0, 9, dtype=torch.float64).view(1, 1, 3, 3)
    sigmas = torch.cat([levels(12), torch.zeros(1, dtype=torch.float64)])
    ours = stochastic(exact, start, sigmas, no_noise, silent, eta=0.0)
    assert torch.allclose(ours, deterministic(exact, start, sigmas, no_noise, silent), rtol=1e-12)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_run_to_zero_ends_in_a_clean_estimate_and_reports_every_step(name: str) -> None:
    sigmas = torch.cat([levels(5), torch.zeros(1, dtype=torch.float64)])
    start = torch.full((2, 1, 2, 2), 9.0, dtype=torch.float64)
    seen: list[tuple[int, Tensor, Tensor]] = []
    x = SAMPLERS[name](
        exact, start, sigmas, fresh_noise((2, 1, 2, 2), 3), lambda step, x, x0: seen.append((step, x, x0))
    )
    assert [step for step, _, _ in seen] == list(range(6))
    assert torch.equal(seen[-1][1], x)
    assert torch.allclose(x, seen[-1][2], rtol=1e-9)  # the last step goes to the last estimate
    assert bool((start == 9.0).all()), "a sampler must not write to its input"


def test_an_exception_in_on_step_stops_the_run() -> None:
    calls = 0

    def stop(step: int, _x: Tensor, _x0: Tensor) -> None:
        nonlocal calls
        calls += 1
        if step == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        euler(exact, torch.zeros(1, 1, 2, 2, dtype=torch.float64), levels(10), no_noise, stop)
    assert calls == 2


def test_the_sde_sampler_wants_a_brownian_path() -> None:
    assert isinstance(SAMPLERS["dpmpp_2m_sde"], Brownian)
    assert not any(isinstance(sampler, Brownian) for name, sampler in SAMPLERS.items() if "sde" not in name)
