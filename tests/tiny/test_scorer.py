"""The scorer: perfect on true renderings, chance on the wrong captions, and honest about its uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph_nodes.tiny import heldout
from nodegraph_nodes.tiny.reading import largest_area, nearest_colour, read
from nodegraph_nodes.tiny.render import render
from nodegraph_nodes.tiny.scenes import COLOURS, RGB, Mixture, sample_scene
from nodegraph_nodes.tiny.scorer import Share, in_place, judge_all, judge_all_pairs, report

SINGLE = [sample_scene(seed, Mixture(two_objects=0.0, patterned=0.0)) for seed in range(400)]
PAIRS = [sample_scene(seed, Mixture(two_objects=1.0, patterned=0.0)) for seed in range(200)]


def test_true_renderings_of_single_objects_are_read_right() -> None:
    shares = judge_all([render(scene) for scene in SINGLE], SINGLE)
    assert all(share.value >= 0.99 for share in shares.values()), report("single", shares)


def test_true_renderings_of_pairs_are_read_right() -> None:
    shares = judge_all_pairs([render(scene) for scene in PAIRS], PAIRS)
    assert all(share.value >= 0.99 for share in shares.values()), report("pairs", shares)


def test_the_committed_prompts_could_score_everything() -> None:
    prompts = heldout.load()
    single = [prompt.scene for prompt in prompts.single]
    pairs = [prompt.scene for prompt in prompts.pairs]
    assert judge_all([render(scene) for scene in single], single)["all"].value >= 0.99
    assert judge_all_pairs([render(scene) for scene in pairs], pairs)["all"].value >= 0.99


def test_shuffled_captions_score_by_chance() -> None:
    shares = judge_all([render(scene) for scene in SINGLE], [*SINGLE[1:], SINGLE[0]])
    for name, chance in (("background", 1 / 12), ("colour", 1 / 12), ("shape", 1 / 8)):
        assert shares[name].value == pytest.approx(chance, abs=0.05)
    assert shares["all"].value < 0.02
    pairs = judge_all_pairs([render(scene) for scene in PAIRS], [*PAIRS[1:], PAIRS[0]])
    assert pairs["colours"].value < 0.05
    assert pairs["shapes"].value < 0.06


def test_an_empty_picture_and_noise_score_nothing() -> None:
    flat = np.full((128, 128, 3), 200, np.uint8)
    assert read(flat).shape is None
    noise = np.random.default_rng(0).integers(0, 256, (20, 128, 128, 3), dtype=np.uint8)
    assert judge_all(list(noise), SINGLE[:20])["all"].right == 0


def test_every_palette_colour_is_nearest_to_itself() -> None:
    assert all(nearest_colour(np.asarray(RGB[colour], np.float32)) == colour for colour in COLOURS)


def test_the_largest_area_is_found_across_the_borders() -> None:
    mask = np.zeros((6, 6), bool)
    mask[0, :] = True
    mask[:, 5] = True
    mask[3:5, 0:2] = True
    found = largest_area(mask)
    assert found.sum() == 11
    assert not found[3, 0]
    assert not largest_area(np.zeros((3, 3), bool)).any()


@pytest.mark.parametrize(
    ("centre", "right"),
    [((0.0, 0.0), False), ((-0.26, 0.0), True), ((-0.26, -0.26), False), ((0.26, 0.0), False)],
)
def test_a_place_needs_both_axes(centre: tuple[float, float], right: bool) -> None:
    assert in_place(centre, "left") == right


def test_shares_carry_their_uncertainty() -> None:
    assert str(Share(150, 200)) == "75.0 ± 3.1 %"
    assert 0 < Share(200, 200).error < 0.01
    assert Share(0, 200).error == pytest.approx(Share(200, 200).error)
