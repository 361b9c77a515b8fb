"""UniPC against diffusers, step for step on a bent denoiser."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import UniPCMultistepScheduler
from torch import Tensor

from nodegraph.diffusion.samplers import SAMPLERS
from tests.diffusion.gaussian import no_noise, silent

# diffusers 0.42 converts tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

ORACLE: Any = UniPCMultistepScheduler  # diffusers publishes no types


def bent(x: Tensor, sigma: Tensor) -> Tensor:
    return torch.tanh(x * 2 / (1 + sigma**2).sqrt()) * sigma.cos() + x / (1 + sigma**2)


@pytest.mark.parametrize(("name", "kind"), [("uni_pc", "bh1"), ("uni_pc_bh2", "bh2")])
@pytest.mark.parametrize("steps", [5, 12])
def test_equals_diffusers(name: str, kind: str, steps: int) -> None:
    scheduler = ORACLE(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, solver_order=3, solver_type=kind,
        prediction_type="sample", final_sigmas_type="sigma_min", use_karras_sigmas=True,
    )  # fmt: skip
    scheduler.set_timesteps(steps)
    sigmas: Tensor = scheduler.sigmas.double()
    unit = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    roots = (1 + sigmas**2).sqrt()  # diffusers keeps x / sqrt(1 + sigma^2)
    scaled = unit * sigmas[0] / roots[0]
    for step, timestep in enumerate(scheduler.timesteps):
        x0 = bent(scaled * roots[step], sigmas[step])
        scaled = scheduler.step(x0, timestep, scaled).prev_sample
    ours = SAMPLERS[name](bent, unit * sigmas[0], sigmas, no_noise, silent)
    assert float((ours - scaled * roots[-1]).norm() / ours.norm()) < 1e-5
