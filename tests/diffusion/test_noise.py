"""Noise: seeds, independence of the batch, and the statistics of Brownian paths."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.diffusion.noise import BrownianNoise, WhiteNoise, image_seed, initial_noise

SHAPE = (4, 6, 5)


def test_initial_noise_of_one_image_is_the_plain_draw_of_its_seed() -> None:
    plain = torch.randn(1, *SHAPE, generator=torch.Generator().manual_seed(7))
    assert torch.equal(initial_noise(7, [0], SHAPE), plain)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_an_image_has_the_same_noise_alone_and_in_any_batch(seed: int, indices: list[int]) -> None:
    batch = initial_noise(seed, indices, SHAPE)
    white, brownian = WhiteNoise(seed, indices, SHAPE), BrownianNoise(seed, indices, SHAPE, 0.03, 14.6)
    steps = [(14.6, 3.0), (3.0, 0.03)]
    together = [(white(*step), brownian(*step)) for step in steps]
    for position, index in enumerate(indices):
        assert torch.equal(batch[position], initial_noise(seed, [index], SHAPE)[0])
        alone = WhiteNoise(seed, [index], SHAPE), BrownianNoise(seed, [index], SHAPE, 0.03, 14.6)
        for step, (white_all, brownian_all) in zip(steps, together, strict=True):
            assert torch.equal(white_all[position], alone[0](*step)[0])
            assert torch.equal(brownian_all[position], alone[1](*step)[0])


def test_images_and_seeds_do_not_share_noise() -> None:
    assert image_seed(7, 0) == 7
    seeds = {image_seed(seed, index) for seed in range(20) for index in range(20)}
    assert len(seeds) == 400
    draws = initial_noise(7, [0, 1, 2], SHAPE)
    assert not torch.equal(draws[0], draws[1])


def test_white_noise_is_new_at_every_step_and_has_unit_variance() -> None:
    noise = WhiteNoise(1, [0, 1], (4, 64, 64))
    first, second = noise(2.0, 1.0), noise(1.0, 0.5)
    assert not torch.equal(first, second)
    assert float(first.var()) == pytest.approx(1, rel=0.03)


def test_brownian_increments_have_unit_variance_and_add_up() -> None:
    fine, coarse = (BrownianNoise(3, [0, 1], (4, 64, 64), 0.03, 14.614643096923828) for _ in range(2))
    upper, lower = fine(14.614643096923828, 5.0), fine(5.0, 0.03)
    whole = coarse(14.614643096923828, 0.03)
    length = 14.614643096923828 - 0.03
    joined = (upper * (14.614643096923828 - 5.0) ** 0.5 + lower * (5.0 - 0.03) ** 0.5) / length**0.5
    assert torch.allclose(joined, whole, atol=1e-4)  # more steps refine the same path
    for increment in (upper, lower):
        assert float(increment.var()) == pytest.approx(1, rel=0.03)
    assert abs(float((upper * lower).mean())) < 0.02


def test_a_brownian_path_does_not_depend_on_the_order_of_questions() -> None:
    forward, backward = (BrownianNoise(3, [0], SHAPE, 0.1, 10.0) for _ in range(2))
    first = [forward(10.0, 4.0), forward(4.0, 0.1)]
    second = [backward(4.0, 0.1), backward(10.0, 4.0)]
    assert torch.equal(first[0], second[1])
    assert torch.equal(first[1], second[0])
