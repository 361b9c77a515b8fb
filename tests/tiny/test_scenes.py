"""The scene grammar: what can be drawn, how it is said, and what is kept out of training."""

# ruff: noqa: S311 - random scenes are no secrets
from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from nodegraph_nodes.tiny import heldout
from nodegraph_nodes.tiny.captions import SYNONYMS, caption
from nodegraph_nodes.tiny.neon import render_neon
from nodegraph_nodes.tiny.reading import read
from nodegraph_nodes.tiny.render import grid, render
from nodegraph_nodes.tiny.scenes import (
    CLOSE,
    COLOURS,
    PATTERNS,
    POSITIONS,
    SHAPES,
    SIZES,
    Mixture,
    Scene,
    SceneObject,
    contrasting,
    sample_scene,
)
from nodegraph_nodes.tiny.shapes import signed_distance


def scenes(count: int, mixture: Mixture | None = None, first: int = 0) -> list[Scene]:
    return [sample_scene(seed, mixture) for seed in range(first, first + count)]


def words_for(value: str) -> tuple[str, ...]:
    return SYNONYMS.get(value, (value,))


def test_scenes_repeat_with_their_seed_and_cover_the_whole_grammar() -> None:
    drawn = scenes(3000)
    assert drawn == scenes(3000)
    items = [item for scene in drawn for item in scene.objects]
    assert {item.shape for item in items} == set(SHAPES)
    assert {item.colour for item in items} == {scene.background for scene in drawn} == set(COLOURS)
    assert {item.size for item in items} == set(SIZES)
    assert {item.position for item in items} == set(POSITIONS)
    assert {scene.pattern for scene in drawn} == set(PATTERNS)


def test_colours_of_one_picture_can_be_told_apart() -> None:
    for scene in scenes(2000):
        grounds = [colour for colour in (scene.background, scene.second) if colour is not None]
        pairs = [(item.colour, ground) for item in scene.objects for ground in grounds]
        assert all(one != other and frozenset((one, other)) not in CLOSE for one, other in pairs)


def test_no_colour_left_is_an_error() -> None:
    with pytest.raises(ValueError, match="no colour contrasts"):
        contrasting(random.Random(0), *COLOURS)


def test_a_mixture_decides_the_shares() -> None:
    drawn = scenes(2000, Mixture(two_objects=0.4, patterned=0.0, sizes=(0.0, 0.0, 1.0)))
    pairs = sum(len(scene.objects) == 2 for scene in drawn)
    assert 700 < pairs < 900
    assert all(scene.pattern == "plain" for scene in drawn)
    singles = [scene.objects[0] for scene in drawn if len(scene.objects) == 1]
    assert {item.size for item in singles} == {"large"}
    assert {item.position for item in singles} == {"center"}


@pytest.mark.parametrize("shape", SHAPES)
def test_distances_are_distances_at_the_edge(shape: str) -> None:
    """Near the edge a distance function has slope one, except at its corners; the share of a few is small."""
    x, y = grid(256)
    drawn = next(name for name in SHAPES if name == shape)
    distance = signed_distance(drawn, x - np.float32(0.5), y - np.float32(0.5), 0.3)
    down, across = np.gradient(distance, 1 / 256)
    near = np.abs(distance) < 0.01
    slope = np.hypot(down, across)[near]
    assert near.sum() > 500
    assert np.median(slope) == pytest.approx(1.0, abs=0.03)


def test_a_circle_has_the_area_of_a_circle() -> None:
    circle = Scene("white", None, "plain", (SceneObject("circle", "black", "large", "center"),), 3)
    picture = render(circle).astype(float)
    dark = (picture.max() - picture.mean(2)).sum() / (picture.max() - picture.min())
    radius = (dark / np.pi) ** 0.5 / 128
    assert radius == pytest.approx(0.31, rel=0.12)  # size jitter 7 %, shading and colour jitter the rest


def test_pictures_repeat_and_have_crisp_edges() -> None:
    drawn = scenes(30, Mixture(two_objects=0.0, patterned=0.0))
    pictures = [render(scene) for scene in drawn]
    assert all(picture.dtype == np.uint8 and picture.shape == (128, 128, 3) for picture in pictures)
    assert all(np.array_equal(render(scene), picture) for scene, picture in zip(drawn, pictures, strict=True))
    assert np.median([read(picture).edge_width for picture in pictures]) < 1.1


def test_objects_stay_inside_the_picture() -> None:
    for scene in scenes(200, Mixture(two_objects=0.5, patterned=0.0)):
        picture = render(scene).astype(float)
        edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        touched = (np.abs(edge - edge[0]).max(1) > 1).mean()
        assert touched < 0.02  # no more than the tip of a diamond


def test_the_neon_style_is_dark_with_a_bright_outline() -> None:
    scene = Scene("blue", None, "plain", (SceneObject("square", "yellow", "large", "center"),), 1)
    plain, neon = render(scene), render_neon(scene)
    assert neon.mean() < plain.mean() / 2
    assert neon.max() == 255
    assert neon[64, 64].sum() < plain[64, 64].sum()  # hollow


def test_a_caption_names_every_attribute() -> None:
    rng = random.Random(4)
    for scene in scenes(1500):
        text = caption(scene, rng)
        colours = [scene.background, scene.second, *(item.colour for item in scene.objects)]
        for value in (*(colour for colour in colours if colour), *(item.shape for item in scene.objects)):
            assert any(word in text for word in words_for(value)), (value, text)
        if scene.objects[0].size != "medium":
            assert any(word in text for word in words_for(scene.objects[0].size)), text
        if len(scene.objects) == 1 and scene.objects[0].position != "center":
            assert scene.objects[0].position in text


def test_captions_vary_and_use_the_right_article() -> None:
    rng = random.Random(4)
    scene = sample_scene(7)
    assert len({caption(scene, rng) for _ in range(50)}) > 20
    for each in scenes(500):
        text = caption(each, rng)
        assert " a orange" not in f" {text}"
        assert "  " not in text


def test_the_order_of_a_relation_is_right() -> None:
    left = SceneObject("circle", "red", "medium", "left")
    right = SceneObject("star", "blue", "medium", "right")
    scene = Scene("white", None, "plain", (left, right), 0)
    for seed in range(40):
        text = caption(scene, random.Random(seed))
        circle = min(text.find(word) for word in ("circle", "disc", "ball") if word in text)
        assert (circle < text.find("star")) == ("right of" not in text)


def test_training_never_sees_a_held_out_combination() -> None:
    training = list(islice(heldout.training_scenes(0, Mixture(two_objects=0.5)), 4000))
    assert not any(map(heldout.is_held_out, training))
    seen = {heldout.combination(scene) for scene in training}
    prompts = heldout.load()
    assert all(heldout.combination(prompt.scene) not in seen for prompt in prompts.single + prompts.pairs)
    dropped = 1 - len(training) / (training[-1].seed + 1)
    assert 0.07 < dropped < 0.13


def test_the_rule_for_pairs_does_not_depend_on_the_order() -> None:
    for scene in scenes(300, Mixture(two_objects=1.0)):
        first, second = scene.objects
        swapped = Scene(scene.background, scene.second, scene.pattern, (second, first), scene.seed)
        assert heldout.is_held_out(swapped) == heldout.is_held_out(scene)


def test_the_committed_prompts_are_what_the_issue_of_scoring_needs() -> None:
    prompts = heldout.load()
    assert (len(prompts.single), len(prompts.pairs)) == (200, 100)
    everything = prompts.single + prompts.pairs
    assert all(heldout.is_held_out(prompt.scene) for prompt in everything)
    assert all(prompt.scene.pattern == "plain" for prompt in everything)
    assert len({prompt.noise_seed for prompt in everything}) == 300
    assert len({heldout.combination(prompt.scene) for prompt in prompts.pairs}) == 100
    assert set(Counter(prompt.scene.objects[0].size for prompt in prompts.single)) == set(SIZES)
    assert all(len({item.colour for item in prompt.scene.objects}) == 2 for prompt in prompts.pairs)


def test_held_out_prompts_survive_their_file() -> None:
    prompts = heldout.load()
    assert heldout.FILE.read_text(encoding="utf-8") == heldout.dumps(prompts)
    fresh = heldout.make(5, 5)
    assert fresh == heldout.make(5, 5)
    avoided = heldout.make(5, 5, avoid={heldout.combination(fresh.pairs[0].scene)})
    assert avoided.pairs[0].scene == fresh.pairs[1].scene


def test_importing_the_package_and_its_grammar_loads_no_torch() -> None:
    code = (
        "import sys, nodegraph_nodes.tiny, nodegraph_nodes.tiny.heldout, nodegraph_nodes.tiny.scorer, "
        "nodegraph_nodes.tiny.__main__; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
