"""Guidance on a network: FreeU, weakened networks, areas, masks, time ranges, staged runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from diffusers.utils.torch_utils import apply_freeu, fourier_filter
from torch import Tensor, nn

from nodegraph.diffusion.guidance import rules
from nodegraph.diffusion.guidance.freeu import (
    backbone_scaled,
    backbone_scaled_by_structure,
    backbone_widths,
    freeu,
    low_frequencies_scaled,
)
from nodegraph.diffusion.guidance.parts import parts_of
from nodegraph.diffusion.guidance.patches import (
    CfgZeroStar,
    FreeU,
    PerturbedAttention,
    RescaleCfg,
    SkipLayers,
    chosen_blocks,
    patch_of,
)
from nodegraph.diffusion.guidance.predict import Predictor
from nodegraph.diffusion.guidance.weaken import self_attention_as_identity, skipped
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.prediction import Eps, Noising
from nodegraph.diffusion.samplers import SAMPLERS
from nodegraph.diffusion.sampling import Guidance, sample_levels
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.diffusion.schedules import DiscreteSchedule, scaled_linear_sigmas
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.errors import InputError
from nodegraph.modelfiles.configs import UNetConfig
from nodegraph.values import Area, Conditioning, ConditioningEntry, Latent, Mask, Noise, Patch
from tests.diffusion.small_models import UNET, randomise


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def unet() -> UNet:
    network = UNet(UNET).eval()
    randomise(network, 1)
    return network


@pytest.fixture
def denoiser(unet: UNet) -> UNetDenoiser:
    return UNetDenoiser(unet, "eps")


def entry(seed: int, **options: Any) -> ConditioningEntry:
    return ConditioningEntry(draw(1, 5, UNET.context_dim, seed=seed), **options)


PROMPTS: Mapping[str, Conditioning] = {
    "positive": Conditioning((entry(1),)),
    "second": Conditioning((entry(3),)),
    "negative": Conditioning((entry(2),)),
}
SIGMA = torch.tensor(2.0)


def estimate(denoiser: UNetDenoiser, rule: str, options: Mapping[str, Any], *patches: Patch) -> Tensor:
    """What a sampler is told about one latent at sigma 2."""
    x = draw(2, 4, 8, 8, seed=4)
    guidance = Guidance(rule, PROMPTS, options, patches)
    sigmas = torch.tensor([2.0, 1.0, 0.0])
    made: Tensor = guidance.follow(denoiser, x, 8, sigmas)(x, SIGMA)
    return made


def alone(denoiser: UNetDenoiser, name: str) -> Tensor:
    x = draw(2, 4, 8, 8, seed=4)
    tokens = PROMPTS[name].entries[0].tokens.expand(2, -1, -1)
    return denoiser.denoise(x, SIGMA.expand(2), tokens)


def close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).norm() <= 1e-4 * other.norm())


def test_rules_on_a_network_are_the_formulas(denoiser: UNetDenoiser) -> None:
    positive, second, negative = (alone(denoiser, name) for name in PROMPTS)
    assert close(estimate(denoiser, "basic", {}), positive)
    assert close(estimate(denoiser, "cfg", {"cfg": 4.0}), rules.cfg(positive, negative, 4.0))
    options = {"cfg": 4.0, "cfg_second": 1.5}
    dual = rules.dual_cfg(positive, second, negative, 4.0, 1.5)
    assert close(estimate(denoiser, "dual_cfg", options), dual)
    nested = rules.nested_cfg(positive, second, negative, 4.0, 1.5)
    assert close(estimate(denoiser, "dual_cfg", {**options, "style": "nested"}), nested)
    with pytest.raises(InputError, match="best"):
        estimate(denoiser, "best", {})


def test_samplers_of_cfg_plus_plus_get_the_negative(denoiser: UNetDenoiser) -> None:
    x = draw(2, 4, 8, 8, seed=4)
    for cfg in (1.0, 3.0):  # at 1 a plain run asks for the positive only
        follow = Guidance("cfg", PROMPTS, {"cfg": cfg}).follow(denoiser, x, 8, torch.zeros(0))
        guided, negative = follow.with_negative(x, SIGMA)  # type: ignore[attr-defined]  # the class of cfg has it
        assert close(negative, alone(denoiser, "negative"))
        assert close(guided, rules.cfg(alone(denoiser, "positive"), negative, cfg))
    basic = Guidance("basic", {"positive": PROMPTS["positive"]}).follow(denoiser, x, 8, torch.zeros(0))
    with pytest.raises(InputError, match="negative"):
        basic.with_negative(x, SIGMA)  # type: ignore[attr-defined]  # as above


def test_patches_of_guidance_work_in_order(denoiser: UNetDenoiser) -> None:
    x, positive, negative = draw(2, 4, 8, 8, seed=4), alone(denoiser, "positive"), alone(denoiser, "negative")
    guided = rules.cfg(positive, negative, 6.0)
    rescale, zero = patch_of("rescale_cfg", RescaleCfg(amount=0.5)), patch_of("cfg_zero_star", CfgZeroStar())
    rescaled = rules.rescaled_at(x, guided, positive, 1 / (SIGMA**2 + 1), 0.5)
    assert close(estimate(denoiser, "cfg", {"cfg": 6.0}, rescale), rescaled)
    starred = rules.cfg_zero_star(x, positive, negative, 6.0)
    assert close(estimate(denoiser, "cfg", {"cfg": 6.0}, zero), starred)
    both = rules.rescaled_at(x, starred, positive, 1 / (SIGMA**2 + 1), 0.5)
    assert close(estimate(denoiser, "cfg", {"cfg": 6.0}, zero, rescale), both)


def test_zero_steps_of_cfg_zero_star_do_not_move(denoiser: UNetDenoiser) -> None:
    patch = patch_of("cfg_zero_star", CfgZeroStar(zero_steps=1))
    assert torch.equal(estimate(denoiser, "cfg", {"cfg": 6.0}, patch), draw(2, 4, 8, 8, seed=4))


def test_perturbed_attention_lets_positions_see_themselves(denoiser: UNetDenoiser, unet: UNet) -> None:
    layer = unet.middle_block[1].transformer_blocks[0].attn1  # type: ignore[index, union-attr]  # a known network
    assert isinstance(layer, nn.Module)
    x = draw(1, 6, 64)
    before = layer(x, x)
    with self_attention_as_identity(unet, "middle_block"):
        # An attention map that is the identity gives back the values.
        assert torch.allclose(layer(x, x), layer.to_out(layer.to_v(x)))  # type: ignore[operator]  # linear maps
        worse = alone(denoiser, "positive")
    assert torch.equal(layer(x, x), before)

    positive = alone(denoiser, "positive")
    patch = patch_of("perturbed_attention", PerturbedAttention(scale=2.0))
    assert close(estimate(denoiser, "basic", {}, patch), rules.away_from(positive, positive, worse, 2.0))
    late = patch_of("perturbed_attention", PerturbedAttention(scale=2.0, start=0.9))
    assert close(estimate(denoiser, "basic", {}, late), positive)
    nowhere = patch_of("perturbed_attention", PerturbedAttention(blocks="attic"))
    with pytest.raises(InputError, match="self attention"):
        estimate(denoiser, "basic", {}, nowhere)


class Streams(nn.Module):
    """A stand-in for a transformer: two streams, then one."""

    class Double(nn.Module):
        streams = 2

        def forward(self, image: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
            return image + text.mean() * time, text * 2

    class Single(nn.Module):
        def forward(self, x: Tensor, time: Tensor) -> Tensor:
            return x * time

    def __init__(self) -> None:
        super().__init__()
        self.double_blocks = nn.ModuleList([self.Double() for _ in range(3)])
        self.single_blocks = nn.ModuleList([self.Single() for _ in range(2)])

    def forward(self, x: Tensor, text: Tensor, time: Tensor) -> Tensor:
        for block in self.double_blocks:
            x, text = block(x, text, time)
        for block in self.single_blocks:
            x = block(x, time)
        return x


def test_skipped_blocks_give_back_what_they_were_given() -> None:
    network, x, text, time = Streams(), draw(1, 3), draw(1, 3, seed=1), torch.tensor(3.0)
    whole = network(x, text, time)
    with skipped(chosen_blocks(network, "1", "0")):
        mean = text.mean()
        expected = (x + mean * time + 2 * mean * time) * time
        assert torch.allclose(network(x, text, time), expected)
    assert torch.equal(network(x, text, time), whole)
    with pytest.raises(InputError, match="layer 7"):
        chosen_blocks(network, "1, 7")


def test_a_failure_inside_uncovers_the_network() -> None:
    network = Streams()
    with pytest.raises(ZeroDivisionError), skipped(list(network.double_blocks)):
        raise ZeroDivisionError
    assert all("forward" not in block.__dict__ for block in network.double_blocks)


def test_skip_layers_need_a_transformer(denoiser: UNetDenoiser) -> None:
    patch = patch_of("skip_layers", SkipLayers(start=0.0, end=1.0))
    with pytest.raises(InputError, match="layer 7"):
        estimate(denoiser, "basic", {}, patch)


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (5, 3)])
def test_freeu_is_that_of_diffusers(size: tuple[int, int]) -> None:
    features, skip = draw(2, 8, *size), draw(2, 6, *size, seed=1)
    assert torch.allclose(low_frequencies_scaled(skip, 0.3), fourier_filter(skip, 1, 0.3), atol=1e-5)  # type: ignore[arg-type]  # diffusers annotates an int
    for stage in (0, 1):
        factors = {"b1": 1.3, "b2": 1.4, "s1": 0.9, "s2": 0.2}
        expected = apply_freeu(stage, features.clone(), skip.clone(), **factors)
        made = backbone_scaled(features, (1.3, 1.4)[stage]), low_frequencies_scaled(skip, (0.9, 0.2)[stage])
        for one, other in zip(made, expected, strict=True):
            assert torch.allclose(one, other, atol=1e-5)


def test_version_2_of_freeu_scales_by_structure() -> None:
    features = draw(2, 8, 4, 4)
    made = backbone_scaled_by_structure(features, 1.5)
    mean = features.mean(1)
    for image in range(2):
        high, low = mean[image].argmax(), mean[image].argmin()
        flat, before = made[image].flatten(1), features[image].flatten(1)
        assert torch.allclose(flat[:4, high], before[:4, high] * 1.5)
        assert torch.allclose(flat[:4, low], before[:4, low])
    assert torch.equal(made[:, 4:], features[:, 4:])


def test_freeu_of_ones_changes_nothing_and_leaves_nothing(unet: UNet, denoiser: UNetDenoiser) -> None:
    plain = alone(denoiser, "positive")
    with freeu(unet, 1.0, 1.0, 1.0, 1.0, version=2):
        assert close(alone(denoiser, "positive"), plain)
    with freeu(unet, 1.5, 1.5, 0.5, 0.5, version=1):
        assert not close(alone(denoiser, "positive"), plain)
    assert torch.equal(alone(denoiser, "positive"), plain)
    with pytest.raises(InputError, match="UNet"), freeu(Streams(), 1.0, 1.0, 1.0, 1.0, version=2):
        pass


@pytest.mark.parametrize("config", [UNET, UNetConfig(model_channels=32, channels=(32, 64, 96, 96))])
def test_backbone_widths_leave_the_skip(config: UNetConfig) -> None:
    with torch.device("meta"):
        network = UNet(config)
    given = [int(block[0].in_layers[0].num_channels) for block in network.output_blocks]  # type: ignore[index]  # a known network
    skips = list(reversed(config.skip_channels))
    assert backbone_widths(config) == [total - skip for total, skip in zip(given, skips, strict=True)]


def test_one_network_serves_with_and_without_freeu(denoiser: UNetDenoiser) -> None:
    latent, sampler = Latent(torch.zeros(1, 4, 8, 8)), SAMPLERS["euler"]
    sigmas = SCHEDULERS["karras"](denoiser.noising, 3)

    def run(*patches: Patch) -> Tensor:
        guidance = Guidance("cfg", PROMPTS, {"cfg": 3.0}, patches)
        return sample_levels(denoiser, guidance, latent, sigmas, Noise(3), sampler).latent.samples

    plain = run()
    assert not torch.allclose(run(patch_of("freeu", FreeU())), plain)
    assert torch.equal(run(), plain)


def predicted(denoiser: UNetDenoiser, *entries: ConditioningEntry, sigma: float = 2.0) -> Tensor:
    x = draw(1, 4, 8, 16, seed=4)
    predictor = Predictor(denoiser, {"positive": Conditioning(entries)}, x, down=8)
    return predictor(x, torch.tensor(sigma), ("positive",))["positive"]


def test_entries_are_averaged_by_strength(denoiser: UNetDenoiser) -> None:
    one, two = (predicted(denoiser, entry(seed)) for seed in (1, 2))
    both = predicted(denoiser, entry(1, strength=3.0), entry(2))
    assert close(both, (3 * one + two) / 4)
    assert close(predicted(denoiser, entry(1, strength=0.3)), one)


def test_a_mask_says_where_an_entry_counts(denoiser: UNetDenoiser) -> None:
    mask = torch.zeros(1, 64, 128)
    mask[:, :, 64:] = 1
    one, two = (predicted(denoiser, entry(seed)) for seed in (1, 2))
    made = predicted(denoiser, entry(1, mask=Mask(mask)), entry(2, mask=Mask(1 - mask)))
    assert close(made[..., :8], two[..., :8])
    assert close(made[..., 8:], one[..., 8:])
    weighted = predicted(denoiser, entry(1, mask=Mask(mask), mask_strength=2.0), entry(2))
    assert close(weighted[..., 8:], (2 * one[..., 8:] + two[..., 8:]) / 3)
    assert close(weighted[..., :8], two[..., :8])


def test_an_area_is_predicted_alone_and_fades_in(denoiser: UNetDenoiser) -> None:
    """In an area the network sees the area only; its weight rises by eighths from an inner edge."""
    x = draw(1, 4, 8, 16, seed=4)
    whole = predicted(denoiser, entry(2))
    made = predicted(denoiser, entry(1, area=Area(64, 64, x=64)), entry(2))
    part = denoiser.denoise(x[..., 8:], torch.tensor([2.0]), entry(1).tokens)
    weight = (torch.arange(8) + 1) / 8
    assert close(made[..., :8], whole[..., :8])
    assert close(made[..., 8:], (part * weight + whole[..., 8:]) / (weight + 1))
    fraction = predicted(denoiser, entry(1, area=Area(0.5, 1, x=0.5, unit="fraction")), entry(2))
    assert torch.equal(fraction, made)
    with pytest.raises(InputError, match="outside"):
        predicted(denoiser, entry(1, area=Area(64, 64, x=1024)))


def test_nothing_covers_is_the_mean_of_all_pictures(denoiser: UNetDenoiser) -> None:
    made = predicted(denoiser, entry(1, area=Area(64, 64)))
    assert bool((made[..., 8:] == 0).all())
    assert bool((made[..., :8] != 0).any())


def test_a_time_range_says_when_an_entry_counts(denoiser: UNetDenoiser) -> None:
    middle = denoiser.noising.sigma_at(0.5)
    early, late = entry(1, end=0.5), entry(2, start=0.5)
    for sigma, seed in ((middle * 1.1, 1), (middle * 0.9, 2)):
        made = predicted(denoiser, early, late, sigma=sigma)
        assert close(made, predicted(denoiser, entry(seed), sigma=sigma))


@pytest.mark.parametrize("sampler", ["euler", "heun", "ddim"])
@pytest.mark.parametrize("prediction", ["eps", "flow"])
def test_two_stages_are_one_run(unet: UNet, sampler: str, prediction: str) -> None:
    denoiser = UNetDenoiser(unet, prediction)
    latent, chosen = Latent(draw(2, 4, 8, 8, seed=8)), SAMPLERS[sampler]
    guidance = Guidance("cfg", PROMPTS, {"cfg": 3.0})
    sigmas = SCHEDULERS["simple"](denoiser.noising, 6)
    whole = sample_levels(denoiser, guidance, latent, sigmas, Noise(5), chosen)
    first = sample_levels(denoiser, guidance, latent, sigmas[:4], Noise(5), chosen)
    rest = sample_levels(denoiser, guidance, first.latent, sigmas[3:], Noise(5, initial=False), chosen)
    for one, other in zip(rest, whole, strict=True):
        assert float((one.samples - other.samples).norm() / other.samples.norm()) <= 1e-5
    assert close(whole.denoised.samples, whole.latent.samples)  # the last step ends at the clean estimate
    assert not close(first.denoised.samples, first.latent.samples)


def test_a_picture_beside_is_cut_with_the_area() -> None:
    samples, mask = draw(1, 4, 8, 16), draw(1, 64, 128).abs()
    beside = Latent(samples, noise_mask=Mask(mask))
    prompt = Conditioning((entry(1, area=Area(64, 32, x=64, y=32), beside=beside),))
    (part,) = parts_of(
        prompt, "positive", draw(1, 4, 8, 16), 8, Noising(Eps(), DiscreteSchedule(scaled_linear_sigmas()))
    )
    cut = part.entry.beside
    assert cut is not None
    assert cut.noise_mask is not None
    assert torch.equal(cut.samples, samples[..., 4:8, 8:16])
    assert torch.equal(cut.noise_mask.values, mask[:, 32:64, 64:128])
    assert beside.samples.shape == samples.shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_freeu_keeps_half_precision(dtype: torch.dtype) -> None:
    features = draw(1, 8, 6, 6)
    for change in (backbone_scaled, backbone_scaled_by_structure, low_frequencies_scaled):
        made = change(features.to(dtype), 0.5)
        assert made.dtype is dtype
        assert torch.allclose(made.float(), change(features, 0.5), atol=0.05)
