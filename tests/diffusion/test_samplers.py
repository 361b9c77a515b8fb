"""Every sampler on Gaussian data with its exact denoiser: order, moments, ends, and what it asks for."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.samplers import ALIASES, CATALOGUE, SAMPLERS, Brownian, with_options
from nodegraph.diffusion.samplers.kinds import Kind
from nodegraph.errors import InputError
from nodegraph.runtime import Sampler
from tests.diffusion.gaussian import (
    HIGH,
    LOW,
    MU,
    Exact,
    S,
    fresh_noise,
    levels,
    model,
    moments,
    no_noise,
    silent,
    to_zero,
)

ENTRIES = {entry.name: entry for entry in CATALOGUE}
OWN_LEVELS = ("dpm_fast", "dpm_adaptive")  # take their own steps between the ends of a run
SPREAD = torch.linspace(-20.0, 20.0, 9, dtype=torch.float64).view(1, 1, 3, 3)


CONSISTENT = {"dpmpp_2s_ancestral_cfg_pp": {"consistent": True}}  # by default it mixes two times


def sampler_of(name: str) -> Sampler:
    return with_options(SAMPLERS[name], CONSISTENT.get(name, {}))


def quiet(name: str) -> Sampler:
    """The sampler without its noise."""
    return with_options(sampler_of(name), {"eta": 0.0} if ENTRIES[name].noise != "none" else {})


@pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE if entry.order is not None])
def test_order_of_convergence(name: str) -> None:
    """Errors against the exact flow fall by 2^order when steps double (these suit the thirds of dpm_fast)."""
    entry = ENTRIES[name]
    truth = MU + (SPREAD - MU) * moments(LOW)[1] / moments(HIGH)[1]
    errors = [
        float((quiet(name)(Exact(), SPREAD, levels(steps), no_noise, silent) - truth).abs().max())
        for steps in (38, 77, 155)
    ]
    orders = [math.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert entry.order is not None
    assert orders[-1] > entry.order - 0.2, (errors, orders)
    assert errors[-1] < 0.15**entry.order
    if entry.order == 1:
        assert orders[-1] < 1.3, "better than the catalogue says"


def test_adaptive_steps_are_as_exact_as_asked() -> None:
    truth = MU + (SPREAD - MU) * moments(LOW)[1] / moments(HIGH)[1]
    loose, tight = (
        with_options(SAMPLERS["dpm_adaptive"], {"rtol": rtol, "atol": rtol / 10})(
            Exact(), SPREAD, levels(1), no_noise, silent
        )
        for rtol in (1e-2, 1e-4)
    )
    assert float((loose - truth).abs().max()) < 0.1
    assert float((tight - truth).abs().max()) < 1e-3


def test_adaptive_steps_of_an_image_do_not_depend_on_the_batch() -> None:
    def bent(x: Tensor, sigma: Tensor) -> Tensor:
        return torch.tanh(x / (1 + sigma**2).sqrt() * 3) / (1 + 0.1 * sigma)

    batch = torch.cat([SPREAD, SPREAD * 0.01, SPREAD.flip(-1) + 3])
    together = SAMPLERS["dpm_adaptive"](bent, batch, to_zero(5), no_noise, silent)
    for image in range(3):
        alone = SAMPLERS["dpm_adaptive"](bent, batch[image : image + 1], to_zero(5), no_noise, silent)
        assert torch.equal(together[image : image + 1], alone)


def noisy_run(name: str, *, flow: bool, steps: int, side: int) -> tuple[Tensor, float]:
    """x at the last level of a run from noised data, and that level."""
    shape = (1, 1, side, side)
    start = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    sigmas = torch.linspace(1.0, 0.05, steps + 1, dtype=torch.float64) if flow else levels(steps)
    mean, deviation = moments(float(sigmas[0]), flow=flow)
    denoise = model(flow=True) if flow else Exact()
    x = sampler_of(name)(denoise, mean + deviation * start, sigmas, fresh_noise(shape, 2), silent)
    return x, float(sigmas[-1])


# lcm jumps to the estimate, whose variance is smaller: it has a test of its own.
NOISY = [entry.name for entry in CATALOGUE if entry.noise != "none" and entry.name != "lcm"]


@pytest.mark.parametrize("name", NOISY)
def test_stochastic_samplers_keep_the_marginal(name: str) -> None:
    x, sigma = noisy_run(name, flow=False, steps=200, side=130)
    mean, deviation = moments(sigma)
    assert float(x.mean()) == pytest.approx(mean, abs=0.01)
    assert float(x.var()) == pytest.approx(deviation**2, rel=0.05)


@pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE if entry.name != "lcm"])
def test_every_sampler_keeps_the_marginal_of_a_flow_model(name: str) -> None:
    x, sigma = noisy_run(name, flow=True, steps=120, side=120)
    mean, deviation = moments(sigma, flow=True)
    assert float(x.mean()) == pytest.approx(mean, abs=0.02)
    assert float(x.var()) == pytest.approx(deviation**2, rel=0.06)


@pytest.mark.parametrize("flow", [False, True])
def test_lcm_follows_its_variance_recursion(flow: bool) -> None:
    shape = (1, 1, 300, 300)
    sigmas = torch.tensor([0.9, 0.7, 0.5, 0.2], dtype=torch.float64)
    start = MU + torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
    expected = 25.0
    for sigma, following in itertools.pairwise(sigmas.tolist()):
        a, a_next = (1 - sigma, 1 - following) if flow else (1.0, 1.0)
        gain = a * S**2 / ((a * S) ** 2 + sigma**2)
        expected = (a_next * gain) ** 2 * expected + following**2
    x = SAMPLERS["lcm"](model(flow=flow), start, sigmas, fresh_noise(shape, 2), silent)
    assert float(x.var()) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("euler_ancestral", "euler"),
        ("dpm_2_ancestral", "dpm_2"),
        ("dpmpp_2m_sde", "dpmpp_2m"),
        ("res_multistep_ancestral", "res_multistep"),
        ("euler_cfg_pp", "euler"),
        ("ddim", "euler"),
        ("dpmpp_2m_cfg_pp", "dpmpp_2m"),
        ("dpmpp_2s_ancestral_cfg_pp", "dpmpp_2s_ancestral"),
        ("res_multistep_cfg_pp", "res_multistep"),
        ("gradient_estimation_cfg_pp", "gradient_estimation"),
    ],
)
def test_without_noise_and_with_equal_prompts_a_variant_is_the_plain_sampler(name: str, plain: str) -> None:
    ours = quiet(name)(Exact(), SPREAD, to_zero(12), no_noise, silent)
    theirs = quiet(plain)(Exact(), SPREAD, to_zero(12), no_noise, silent)
    assert torch.allclose(ours, theirs, rtol=1e-10)


def test_ddpm_is_euler_ancestral() -> None:
    runs = [
        SAMPLERS[name](Exact(), SPREAD, to_zero(6), fresh_noise(SPREAD.shape, 4), silent)
        for name in ("ddpm", "euler_ancestral")
    ]
    assert torch.equal(*runs)


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
@pytest.mark.parametrize("name", ENTRIES)
def test_a_run_to_zero_ends_in_a_clean_estimate_and_reports_its_steps(name: str, steps: int) -> None:
    start = torch.full((2, 1, 2, 2), 9.0, dtype=torch.float64)
    seen: list[tuple[int, Tensor, Tensor]] = []
    x = SAMPLERS[name](
        Exact(), start, to_zero(steps), fresh_noise((2, 1, 2, 2), 3), lambda *step: seen.append(step)
    )
    indices = [step for step, _, _ in seen]
    assert indices == list(range(steps)) or (name in OWN_LEVELS and indices == sorted(indices))
    assert indices[-1] == steps - 1
    assert torch.equal(seen[-1][1], x)
    # UniPC stops at 0.001; samplers with levels of their own at the last one above zero.
    left = {"uni_pc": 0.01, "uni_pc_bh2": 0.01, "dpm_fast": 10.0, "dpm_adaptive": 10.0}.get(name, 1e-9)
    assert float((x - seen[-1][2]).abs().max()) <= left
    assert bool((start == 9.0).all()), "a sampler must not write to its input"


@pytest.mark.parametrize("name", ENTRIES)
def test_a_flow_may_start_at_pure_noise_and_end_at_zero(name: str) -> None:
    sigmas = torch.linspace(1, 0, 5)
    start = torch.linspace(-2, 2, 8).view(2, 1, 2, 2)

    def noise(sigma: float, sigma_next: float) -> Tensor:
        assert 1 >= sigma > sigma_next > 0
        return torch.ones(2, 1, 2, 2)

    x = SAMPLERS[name](model(flow=True), start, sigmas, noise, silent)
    assert bool(torch.isfinite(x).all())
    assert x.dtype == torch.float32
    assert float((x - MU).abs().max()) < 4 * S


@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "dpm_adaptive"])
def test_evaluations_and_noise_are_those_of_the_catalogue(name: str) -> None:
    entry, exact, asked = ENTRIES[name], Exact(), 0
    calls: list[int] = []

    def noise(sigma: float, sigma_next: float) -> Tensor:
        nonlocal asked
        asked += 1
        return torch.zeros(1, 1, 3, 3, dtype=torch.float64)

    entry.sampler(exact, SPREAD, levels(7), noise, lambda *_: calls.append(exact.calls))
    if name == "dpm_fast":
        assert exact.calls == 7
    else:
        assert calls[3] - calls[2] == entry.evaluations
    assert (asked > 0) == (entry.noise != "none")
    assert isinstance(entry.sampler, Brownian) == (entry.noise == "brownian")


def test_an_exception_in_on_step_stops_the_run() -> None:
    calls = 0

    def stop(step: int, _x: Tensor, _x0: Tensor) -> None:
        nonlocal calls
        calls += 1
        if step == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SAMPLERS["euler"](Exact(), SPREAD, levels(10), no_noise, stop)
    assert calls == 2


def test_other_names_are_the_same_samplers() -> None:
    assert set(SAMPLERS) == set(ENTRIES) | set(ALIASES)
    for alias, name in ALIASES.items():
        assert SAMPLERS[alias] is SAMPLERS[name]


def test_options_are_checked_and_keep_the_kind() -> None:
    sampler = with_options(SAMPLERS["dpmpp_sde"], {"eta": 0.5, "r": 0.3})
    assert isinstance(sampler, Brownian)
    assert dict(sampler.options) == {"eta": 0.5, "r": 0.3}
    assert isinstance(with_options(sampler, {"eta": 0.0}), Kind)
    with pytest.raises(InputError, match="etta") as caught:
        with_options(SAMPLERS["euler_ancestral"], {"etta": 1.0})
    assert caught.value.problem.expected == "eta, s_noise"
    with pytest.raises(InputError):
        with_options(SAMPLERS["euler"], {"noise": None})


def test_samplers_of_cfg_pp_want_a_negative_prompt() -> None:
    def alone(x: Tensor, sigma: Tensor) -> Tensor:
        return Exact()(x, sigma)

    for name in (name for name in ENTRIES if name.endswith("cfg_pp")):
        with pytest.raises(InputError, match="negative"):
            SAMPLERS[name](alone, SPREAD, levels(2), no_noise, silent)
