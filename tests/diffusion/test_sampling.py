"""One run of a sampler: guidance in one batch, masks, batches against single images, bad values."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.prediction import Edm, Eps, Velocity
from nodegraph.diffusion.samplers import CATALOGUE, SAMPLERS
from nodegraph.diffusion.sampling import sample
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.diffusion.schedules import scaled_linear_sigmas
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.errors import InputError, NodegraphError
from nodegraph.runtime import LiveDenoiser, Noising
from nodegraph.values import Conditioning, ConditioningEntry, Latent, Mask
from tests.diffusion.small_models import UNET, randomise

# dpm_adaptive takes hundreds of steps on a random network: its batches are tested on a formula.
EVERY = [entry.name for entry in CATALOGUE if entry.name != "dpm_adaptive"]


class Counting:
    """A denoiser that counts its calls and remembers their batch sizes."""

    def __init__(self, inner: LiveDenoiser) -> None:
        self.inner = inner
        self.batches: list[int] = []
        self.tokens: list[Tensor] = []

    @property
    def device(self) -> torch.device:
        return self.inner.device

    @property
    def sigmas(self) -> Tensor:
        return self.inner.sigmas

    @property
    def noising(self) -> Noising:
        return self.inner.noising

    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        assert x.shape[0] == sigma.shape[0] == tokens.shape[0]
        self.batches.append(x.shape[0])
        self.tokens.append(tokens)
        return self.inner.denoise(x, sigma, tokens)


@pytest.fixture(scope="module")
def unet() -> UNet:
    network = UNet(UNET).eval()
    randomise(network, 1)
    return network


@pytest.fixture
def denoiser(unet: UNet) -> Counting:
    return Counting(UNetDenoiser(unet, "eps"))


def prompt(seed: int, length: int = 5, batch: int = 1) -> Conditioning:
    tokens = torch.randn(batch, length, UNET.context_dim, generator=torch.Generator().manual_seed(seed))
    return Conditioning((ConditioningEntry(tokens),))


def run(
    denoiser: LiveDenoiser,
    latent: Latent,
    *,
    positive: Conditioning | None = None,
    negative: Conditioning | None = None,
    sampler: str = "euler",
    scheduler: str = "normal",
    seed: int = 11,
    steps: int = 4,
    cfg: float = 3.0,
    denoise: float = 1.0,
) -> Latent:
    return sample(
        denoiser,
        positive or prompt(1),
        negative or prompt(2),
        latent,
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=SAMPLERS[sampler],
        scheduler=SCHEDULERS[scheduler],
        denoise=denoise,
    )


def empty(batch: int = 1, side: int = 8) -> Latent:
    return Latent(torch.zeros(batch, 4, side, side))


@pytest.mark.parametrize("sampler", EVERY)
def test_an_image_of_a_batch_equals_the_image_alone(denoiser: Counting, sampler: str) -> None:
    batch = run(denoiser, empty(3), sampler=sampler).samples
    for index in range(3):
        alone = run(denoiser, Latent(torch.zeros(1, 4, 8, 8), batch_index=(index,)), sampler=sampler).samples
        assert float((alone[0] - batch[index]).norm() / batch[index].norm()) <= 1e-4


def test_same_seed_gives_equal_bits_and_another_seed_another_picture(denoiser: Counting) -> None:
    first = run(denoiser, empty(), sampler="dpmpp_2m_sde").samples
    assert torch.equal(first, run(denoiser, empty(), sampler="dpmpp_2m_sde").samples)
    assert not torch.allclose(first, run(denoiser, empty(), sampler="dpmpp_2m_sde", seed=12).samples)


def test_guidance_makes_one_batch_per_step_and_skips_the_negative_at_one(denoiser: Counting) -> None:
    run(denoiser, empty(2), cfg=5.0)
    assert denoiser.batches == [4] * 4
    denoiser.batches.clear()
    run(denoiser, empty(2), cfg=1.0)
    assert denoiser.batches == [2] * 4


def test_guidance_formula(denoiser: Counting) -> None:
    """With one step to zero the result is negative + cfg * (positive - negative)."""
    ends = [run(denoiser, empty(), steps=1, cfg=cfg).samples for cfg in (0.0, 1.0, 3.0)]
    assert torch.allclose(ends[2], ends[0] + 3 * (ends[1] - ends[0]), rtol=1e-3, atol=1e-3)


def test_prompts_of_different_lengths_are_repeated_which_changes_nothing(denoiser: Counting) -> None:
    short, long = prompt(1, length=4), prompt(2, length=6)
    mixed = run(denoiser, empty(), positive=short, negative=long, cfg=3.0, steps=1).samples
    assert denoiser.tokens[-1].shape[1] == 12
    alone = [run(denoiser, empty(), positive=one, cfg=1.0, steps=1).samples for one in (short, long)]
    assert torch.allclose(mixed, alone[1] + 3 * (alone[0] - alone[1]), rtol=1e-3, atol=1e-3)


def test_entries_of_a_prompt_are_averaged(denoiser: Counting) -> None:
    one, two = prompt(1), prompt(2)
    both = Conditioning((*one.entries, *two.entries))
    ends = [run(denoiser, empty(), positive=which, cfg=1.0, steps=1).samples for which in (one, two, both)]
    assert torch.allclose(ends[2], (ends[0] + ends[1]) / 2, rtol=1e-4, atol=1e-4)


def test_a_batch_of_prompts_serves_the_images_one_each(denoiser: Counting) -> None:
    batch = run(denoiser, empty(2), positive=prompt(1, batch=2)).samples
    second = Conditioning((ConditioningEntry(prompt(1, batch=2).entries[0].tokens[1:]),))
    alone = run(denoiser, Latent(torch.zeros(1, 4, 8, 8), batch_index=(1,)), positive=second).samples
    assert torch.allclose(batch[1:], alone, rtol=1e-3, atol=1e-4)


def test_the_start_is_noise_of_the_right_variance(unet: UNet) -> None:
    class Spy(Counting):
        first: Tensor | None = None

        def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
            if self.first is None:
                self.first = x
            return super().denoise(x, sigma, tokens)

    top = float(scaled_linear_sigmas()[-1])
    full = Spy(UNetDenoiser(unet, "eps"))
    run(full, empty(side=32), cfg=1.0, steps=1)
    assert full.first is not None
    assert float(full.first.std()) == pytest.approx(math.sqrt(1 + top**2), rel=0.05)

    part, latent = Spy(UNetDenoiser(unet, "eps")), Latent(torch.full((1, 4, 32, 32), 10.0))
    run(part, latent, cfg=1.0, steps=4, denoise=0.5, scheduler="karras")
    sigma = float(SCHEDULERS["karras"](full.noising, 8)[-5])
    assert part.first is not None
    assert float(part.first.mean()) == pytest.approx(10 * 0.18215, abs=0.1)
    assert float(part.first.std()) == pytest.approx(sigma, rel=0.05)


def test_v_and_eps_are_two_names_of_one_estimate() -> None:
    """v = (sigma eps_part): both formulas give back the x0 that made x (Salimans & Ho 2022, appendix D)."""
    generator = torch.Generator().manual_seed(3)
    x0, eps = torch.randn(2, 1, 4, 8, 8, generator=generator)
    for level in (0.05, 1.0, 14.0):
        sigma = torch.tensor(level)
        x = x0 + sigma * eps
        alpha, deviation = 1 / (1 + sigma**2).sqrt(), sigma / (1 + sigma**2).sqrt()
        v = alpha * eps - deviation * x0
        assert torch.allclose(Eps().x0(x, sigma, eps), x0, atol=1e-4)
        assert torch.allclose(Velocity().x0(x, sigma, v), x0, atol=1e-4)
        assert torch.allclose(Edm(sigma_data=1.0).x0(x, sigma, -v), x0, atol=1e-4)


def test_denoise_zero_gives_the_latent_back(denoiser: Counting) -> None:
    latent = Latent(torch.randn(1, 4, 8, 8))
    assert run(denoiser, latent, denoise=0.0) is latent
    assert not denoiser.batches


@pytest.mark.parametrize("sampler", EVERY)
def test_a_mask_keeps_the_rest_exactly_and_changes_the_inside(denoiser: Counting, sampler: str) -> None:
    original = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(9)) * 5
    mask = torch.zeros(1, 64, 64)
    mask[:, :, 32:] = 1
    latent = Latent(original, noise_mask=Mask(mask))
    result = run(denoiser, latent, sampler=sampler).samples
    assert torch.equal(result[..., :4], original[..., :4])
    assert bool((result[..., 4:] != original[..., 4:]).all())


def test_a_mask_of_ones_changes_nothing_about_the_run(denoiser: Counting) -> None:
    latent = Latent(torch.randn(1, 4, 8, 8))
    masked = Latent(latent.samples, noise_mask=Mask(torch.ones(1, 8, 8)))
    assert torch.equal(run(denoiser, latent).samples, run(denoiser, masked).samples)


def test_steps_are_reported_with_their_number_and_unscaled_estimate(denoiser: Counting) -> None:
    seen: list[tuple[int, int, Tensor]] = []
    result = sample(
        denoiser, prompt(1), prompt(2), empty(), seed=1, steps=3, cfg=2.0, sampler=SAMPLERS["euler"],
        scheduler=SCHEDULERS["karras"], on_step=lambda step, count, x0: seen.append((step, count, x0)),
    )  # fmt: skip
    assert [(step, count) for step, count, _ in seen] == [(0, 3), (1, 3), (2, 3)]
    assert torch.allclose(seen[-1][2], result.samples, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"steps": 0}, "steps"),
        ({"denoise": 1.5}, "denoise"),
        ({"denoise": -0.1}, "denoise"),
        ({"cfg": math.nan}, "cfg"),
        ({"cfg": math.inf}, "cfg"),
    ],
)
def test_values_out_of_range_are_named(denoiser: Counting, changes: dict[str, float], place: str) -> None:
    with pytest.raises(InputError) as caught:
        run(denoiser, empty(), **changes)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.problem.input == place


@pytest.mark.parametrize(
    "case", ["wide tokens", "mixed widths", "no entry", "wrong batch", "latent channels", "masks"]
)
def test_values_that_do_not_fit_each_other_are_explained(denoiser: Counting, case: str) -> None:
    wide = Conditioning((ConditioningEntry(torch.zeros(1, 5, 768)),))
    arguments: dict[str, tuple[Latent, Conditioning, Conditioning]] = {
        "wide tokens": (empty(), wide, wide),
        "mixed widths": (empty(), wide, prompt(2)),
        "no entry": (empty(), Conditioning(()), prompt(2)),
        "wrong batch": (empty(3), prompt(1, batch=2), prompt(2)),
        "latent channels": (Latent(torch.zeros(1, 16, 8, 8)), prompt(1), prompt(2)),
        "masks": (
            Latent(torch.zeros(3, 4, 8, 8), noise_mask=Mask(torch.ones(2, 8, 8))),
            prompt(1),
            prompt(2),
        ),
    }
    latent, positive, negative = arguments[case]
    with pytest.raises(InputError):
        run(denoiser, latent, positive=positive, negative=negative)


def test_a_result_that_is_not_finite_is_an_error_with_a_remedy(unet: UNet) -> None:
    class Broken(Counting):
        def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
            return super().denoise(x, sigma, tokens) * math.inf

    with pytest.raises(NodegraphError, match="float32") as caught:
        run(Broken(UNetDenoiser(unet, "eps")), empty())
    assert caught.value.problem.code == "not_finite"


def test_an_unknown_prediction_type_is_named(unet: UNet) -> None:
    with pytest.raises(InputError, match="x0"):
        UNetDenoiser(unet, "x0")
