"""Schedulers in closed form or as published, and schedules of flow, EDM and zero-terminal-SNR models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_utils import AysSchedules

from nodegraph.diffusion.prediction import Edm, Eps, Flow, Noising, Velocity
from nodegraph.diffusion.schedulers import SCHEDULERS, FluxShift, levels_for, without_penultimate
from nodegraph.diffusion.schedules import (
    DiscreteSchedule,
    EdmSchedule,
    FlowSchedule,
    FluxSchedule,
    flux_mu,
    linear_sigmas,
    scaled_linear_sigmas,
    zero_terminal_snr,
)
from nodegraph.errors import InputError

# diffusers 0.42 converts tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

# diffusers publishes no types
AYS: Any = AysSchedules
DDIM: Any = DDIMScheduler
FLOW_EULER: Any = FlowMatchEulerDiscreteScheduler
TABLE = scaled_linear_sigmas()
SD1 = Noising(Eps(), DiscreteSchedule(TABLE))
SD3 = Noising(Flow(), FlowSchedule(shift=3.0))
FLUX = Noising(Flow(), FluxSchedule())
EDM = Noising(Edm(), EdmSchedule())


def test_linear_quadratic_in_numbers() -> None:
    """With 4 steps: 0, 0.0125, then 0.0125 i + c (i - 2)^2 with c = (1 - 0.05) / 4."""
    levels = SCHEDULERS["linear_quadratic"](FLUX, 4)
    assert levels.tolist() == pytest.approx([1, 0.9875, 0.975, 1 - 0.0375 - 0.2375, 0], abs=1e-6)
    assert SCHEDULERS["linear_quadratic"](SD1, 1).tolist() == pytest.approx([float(TABLE[-1]), 0])


def test_kl_optimal_is_even_in_the_angle() -> None:
    levels = SCHEDULERS["kl_optimal"](SD1, 7)[:-1]
    angles = levels.double().atan().diff()
    assert torch.allclose(angles, angles[0].expand(6), rtol=1e-4)
    assert float(levels[-1]) == pytest.approx(float(TABLE[0]), rel=1e-4)


def test_sd_turbo_takes_hundreds_of_timesteps() -> None:
    levels = SCHEDULERS["sd_turbo"](SD1, 3)
    assert levels.tolist() == pytest.approx([*TABLE[[999, 899, 799]].tolist(), 0], rel=1e-5)
    part = levels_for(SCHEDULERS["sd_turbo"], SD1, 2, 0.5)
    assert part.tolist() == pytest.approx([*TABLE[[499, 399]].tolist(), 0], rel=1e-5)
    with pytest.raises(InputError, match="sd_turbo"):
        SCHEDULERS["sd_turbo"](SD1, 11)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_flux_shift_equals_diffusers_for_every_size(side: int) -> None:
    scheduler = FLOW_EULER(use_dynamic_shifting=True)
    steps = 8
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=flux_mu(side * side // 4))
    ours = levels_for(SCHEDULERS["flux_shift"], FLUX, steps, 1.0, (side, side))
    assert torch.allclose(ours, scheduler.sigmas.cpu().float(), rtol=1e-5)
    assert torch.equal(ours, FluxShift(tokens=side * side // 4)(FLUX, steps))


def test_align_your_steps_equals_the_published_levels() -> None:
    """diffusers has the timesteps of SD 1.5 and the rounded levels of SDXL."""
    sd1 = SCHEDULERS["align_your_steps"](SD1, 10)
    assert sd1[:-1].tolist() == pytest.approx(TABLE[AYS["StableDiffusionTimesteps"]].tolist(), rel=0.02)
    sdxl = SCHEDULERS["align_your_steps_sdxl"](SD1, 10)
    assert sdxl[:-1].tolist() == pytest.approx(AYS["StableDiffusionXLSigmas"][:10], rel=0.015)
    twenty = SCHEDULERS["align_your_steps"](SD1, 20)
    assert torch.allclose(twenty[:-1:2], sd1[:-1])
    assert torch.allclose(twenty[1:-3:2], (sd1[:-2] * sd1[1:-1]).sqrt())


def test_normal_of_a_flow_shifts_evenly_spaced_times() -> None:
    lowest = float(SD3.table[0])
    times = torch.linspace(1, lowest, 5)
    expected = 3 * times / (1 + 2 * times)
    assert torch.allclose(SCHEDULERS["normal"](SD3, 5)[:-1], expected, rtol=1e-5)
    assert float(SCHEDULERS["simple"](SD3, 4)[1]) == pytest.approx(3 * 0.75 / 2.5, rel=1e-5)


def test_normal_of_edm_is_even_in_log_sigma() -> None:
    assert torch.allclose(SCHEDULERS["normal"](EDM, 6), SCHEDULERS["exponential"](EDM, 6), rtol=1e-4)


def test_samplers_may_leave_out_the_level_before_the_last() -> None:
    whole = SCHEDULERS["karras"](SD1, 6)
    assert torch.equal(without_penultimate(SCHEDULERS["karras"])(SD1, 5), torch.cat([whole[:-2], whole[-1:]]))
    sized = levels_for(without_penultimate(SCHEDULERS["flux_shift"]), FLUX, 3, 1.0, (32, 32))
    assert float(sized[1]) == pytest.approx(float(FluxShift(tokens=256)(FLUX, 4)[1]))


def test_zero_terminal_snr_and_linear_betas_equal_diffusers() -> None:
    for options, ours in (
        ({"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}, TABLE),
        ({"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}, linear_sigmas()),
    ):
        plain = DDIM(**options)
        alphas = plain.alphas_cumprod
        assert torch.allclose(ours, ((1 - alphas) / alphas).sqrt(), rtol=1e-4)
        rescaled = DDIM(**options, rescale_betas_zero_snr=True)
        alphas = rescaled.alphas_cumprod[:-1]
        stretched = zero_terminal_snr(ours)
        assert torch.allclose(stretched[:-1], ((1 - alphas) / alphas).sqrt(), rtol=2e-3)
        assert float(stretched[-1]) == pytest.approx(4518.6, rel=1e-4)


@pytest.mark.parametrize("noising", [SD1, SD3, FLUX, EDM], ids=["discrete", "flow", "flux", "edm"])
def test_levels_at_fractions_of_the_way_fall_from_top_to_zero(noising: Noising) -> None:
    levels = [noising.sigma_at(fraction) for fraction in (0.0, 1e-4, 0.2, 0.8, 1.0)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == (1.0 if noising.flow else math.inf)
    assert levels[-1] == 0
    assert levels[1] == pytest.approx(float(noising.table[-1]), rel=0.01)


def test_timesteps_are_in_the_unit_of_the_network() -> None:
    assert SD1.timestep_of(TABLE[[0, 500, 999]]).tolist() == [0, 500, 999]
    assert SD3.timestep_of(torch.tensor([0.25])).tolist() == [250]
    assert FLUX.timestep_of(torch.tensor([0.25])).tolist() == [0.25]
    assert float(EDM.timestep_of(torch.tensor(math.e**2))) == pytest.approx(0.5)
    assert float(EDM.sigma_of(torch.tensor(0.5))) == pytest.approx(math.e**2)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_a_flow_is_mixed_and_undone_on_a_line(level: float) -> None:
    generator = torch.Generator().manual_seed(3)
    x0, noise = torch.randn(2, 2, 4, 8, 8, generator=generator)
    x = SD3.noised(x0, noise, level, full=True)
    assert torch.allclose(x, (1 - level) * x0 + level * noise)
    sigma = torch.full((2,), level)
    asked: list[torch.Tensor] = []

    def network(given: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        asked.extend((given, timesteps))
        velocity: torch.Tensor = noise - x0
        return velocity

    assert torch.allclose(SD3.x0(network, x, sigma), x0, atol=1e-5)
    assert torch.equal(asked[0], x)
    assert torch.allclose(asked[1], sigma * 1000)
    assert torch.allclose(SD3.clean((1 - level) * x0, level), x0, atol=1e-5)


@pytest.mark.parametrize("data", [0.5, 1.0])
def test_edm_and_velocity_give_the_data_back_at_any_deviation(data: float) -> None:
    """The network's target is (data, noise) turned by the angle whose tangent is sigma / sigma_data."""
    generator = torch.Generator().manual_seed(4)
    x0, noise = torch.randn(2, 1, 4, 8, 8, generator=generator)
    sigma = torch.tensor(2.0)
    x = x0 + sigma * noise
    root = (sigma**2 + data**2).sqrt()
    target = (data * noise - sigma * x0 / data) / root
    assert torch.allclose(Velocity(data).x0(x, sigma, target), x0, atol=1e-5)
    assert torch.allclose(Edm(data).x0(x, sigma, -target), x0, atol=1e-5)
    assert float(Edm(data).scaled_input(x0 * data + sigma * noise, sigma).std()) == pytest.approx(1, abs=0.2)
