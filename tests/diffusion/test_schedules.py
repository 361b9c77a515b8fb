"""Noise levels: the table of the training schedule, and the levels that schedulers choose from it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler
from torch import Tensor

from nodegraph.diffusion.prediction import Edm, Eps, Flow, Noising
from nodegraph.diffusion.schedulers import SCHEDULERS, levels_for
from nodegraph.diffusion.schedules import (
    DiscreteSchedule,
    EdmSchedule,
    FlowSchedule,
    nearest_timestep,
    scaled_linear_sigmas,
    sigma_of_timestep,
    timestep_of_sigma,
)
from nodegraph.runtime import Scheduler

# diffusers 0.42 converts tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

ORACLE: Any = EulerDiscreteScheduler  # diffusers publishes no types
TABLE = scaled_linear_sigmas()
SD1 = Noising(Eps(), DiscreteSchedule(TABLE))
SD3 = Noising(Flow(), FlowSchedule(shift=3.0))
EDM = Noising(Edm(), EdmSchedule())


def diffusers_sigmas(steps: int, **options: bool) -> Tensor:
    scheduler = ORACLE(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        timestep_spacing="linspace",
        **options,
    )
    scheduler.set_timesteps(steps)
    sigmas: Tensor = scheduler.sigmas
    return sigmas


def test_table_equals_diffusers() -> None:
    assert TABLE.dtype == torch.float32
    assert torch.allclose(TABLE.flip(0), diffusers_sigmas(1000)[:-1], rtol=1e-4)
    assert float(TABLE[0]) == pytest.approx(0.0291672, rel=1e-5)
    assert float(TABLE[-1]) == pytest.approx(14.61464, rel=1e-5)


@pytest.mark.parametrize("steps", [4, 28, 38])  # 999 / (steps - 1) is whole: nothing to interpolate
def test_normal_equals_diffusers(steps: int) -> None:
    assert torch.allclose(SCHEDULERS["normal"](SD1, steps), diffusers_sigmas(steps), rtol=1e-4)


@pytest.mark.parametrize("steps", [1, 5, 30])
@pytest.mark.parametrize("name", ["karras", "exponential"])
def test_karras_and_exponential_equal_diffusers(name: str, steps: int) -> None:
    expected = diffusers_sigmas(steps, **{f"use_{name}_sigmas": True})
    if steps == 1:  # diffusers takes the range from the steps themselves
        expected = torch.tensor([float(TABLE[-1]), 0.0])
    assert torch.allclose(SCHEDULERS[name](SD1, steps), expected, rtol=1e-4)


def test_sgm_uniform_is_normal_with_one_more_step_without_its_smallest_level() -> None:
    longer = SCHEDULERS["normal"](SD1, 11)
    expected = torch.cat([longer[:-2], longer[-1:]])
    assert torch.allclose(SCHEDULERS["sgm_uniform"](SD1, 10), expected)


def test_simple_and_ddim_uniform_pick_entries_of_the_table() -> None:
    assert SCHEDULERS["simple"](SD1, 4).tolist() == [*TABLE[[999, 749, 499, 249]].tolist(), 0.0]
    assert SCHEDULERS["ddim_uniform"](SD1, 4).tolist() == [*TABLE[[751, 501, 251, 1]].tolist(), 0.0]
    # 1000 // 7 = 142 fits eight times: the definition gives one level more than asked for.
    assert len(SCHEDULERS["ddim_uniform"](SD1, 7)) == 9


def test_beta_of_equal_parameters_is_symmetric_about_the_middle_timestep() -> None:
    levels = SCHEDULERS["beta"](SD1, 8)
    steps = timestep_of_sigma(TABLE, levels[:-1])
    assert float(steps[0]) == pytest.approx(999, abs=0.5)
    assert float(steps[4]) == pytest.approx(499.5, abs=1)
    assert torch.allclose(steps[1:4] + steps[5:8].flip(0), torch.full((3,), 999.0), atol=1.5)
    assert float(steps[0] - steps[1]) < float(steps[3] - steps[4])  # denser at the ends


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 100])
@pytest.mark.parametrize("name", [name for name in SCHEDULERS if name not in {"sd_turbo", "ddim_uniform"}])
@pytest.mark.parametrize("noising", [SD1, SD3, EDM], ids=["discrete", "flow", "edm"])
def test_levels_descend_to_zero_within_the_table(noising: Noising, name: str, steps: int) -> None:
    levels = SCHEDULERS[name](noising, steps)
    assert levels.dtype == torch.float32
    assert float(levels[-1]) == 0
    assert bool((levels[:-1] > levels[1:]).all())
    assert len(levels) == steps + 1
    if "steps" not in name:  # the levels of Align Your Steps belong to SD models
        assert float(levels[0]) <= float(noising.table[-1]) * (1 + 1e-5)


def test_timestep_and_sigma_are_inverse() -> None:
    t = torch.tensor([0.0, 0.25, 500.5, 998.9, 999.0])
    assert torch.allclose(timestep_of_sigma(TABLE, sigma_of_timestep(TABLE, t)), t, atol=2e-3)
    halfway = sigma_of_timestep(TABLE, torch.tensor(10.5))
    assert float(halfway) == pytest.approx(math.sqrt(float(TABLE[10] * TABLE[11])), rel=1e-5)


def test_nearest_timestep_is_the_nearest_in_log_sigma_and_stays_in_the_table() -> None:
    sigma = torch.tensor([1e-3, 0.5, 3.3, 100.0])
    brute = (sigma.log()[:, None] - TABLE.log()).abs().argmin(dim=1)
    assert nearest_timestep(TABLE, sigma).tolist() == brute.tolist()


@pytest.mark.parametrize(("denoise", "longer"), [(0.5, 20), (0.7, 14), (0.33, 30)])
def test_denoise_runs_the_last_steps_of_a_longer_schedule(denoise: float, longer: int) -> None:
    levels = levels_for(SCHEDULERS["karras"], SD1, 10, denoise)
    assert torch.equal(levels, SCHEDULERS["karras"](SD1, longer)[-11:])


def test_denoise_one_is_the_whole_schedule_and_zero_is_none() -> None:
    normal: Scheduler = SCHEDULERS["normal"]
    assert torch.equal(levels_for(normal, SD1, 6, 1.0), normal(SD1, 6))
    assert len(levels_for(normal, SD1, 6, 0.0)) == 0
