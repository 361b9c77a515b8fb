"""The grammar of the training pictures: what a scene may contain, and how scenes are drawn at random.

A scene is a background and one or two flat shapes. Everything a caption may mention is an attribute of the
scene, so a picture made from a caption can be judged by a program (:mod:`nodegraph_nodes.tiny.scorer`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Colour = Literal[
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "white", "black", "gray"
]
Shape = Literal["circle", "square", "triangle", "star", "heart", "diamond", "ring", "cross"]
Size = Literal["small", "medium", "large"]
Position = Literal[
    "center", "left", "right", "top", "bottom", "top left", "top right", "bottom left", "bottom right"
]
Pattern = Literal["plain", "stripes", "checker", "dots", "gradient"]

COLOURS: tuple[Colour, ...] = get_args(Colour)
SHAPES: tuple[Shape, ...] = get_args(Shape)
SIZES: tuple[Size, ...] = get_args(Size)
POSITIONS: tuple[Position, ...] = get_args(Position)
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)

#: Mean RGB of each colour word, 0 to 255.
RGB: dict[Colour, tuple[int, int, int]] = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 215, 50),
    "green": (50, 165, 70),
    "cyan": (60, 200, 215),
    "blue": (40, 90, 215),
    "purple": (130, 60, 180),
    "pink": (250, 140, 190),
    "brown": (125, 75, 40),
    "white": (248, 248, 245),
    "black": (25, 25, 30),
    "gray": (140, 140, 145),
}

#: Radius of each size as a share of the picture's side. Small is large enough to cover several 8x8 latent
#: cells: below that the autoencoder, not the diffusion model, decides what shape is seen.
RADIUS: dict[Size, float] = {"small": 0.145, "medium": 0.21, "large": 0.31}

#: Offset of each position from the picture's centre (x right, y down) as a share of its side.
OFFSET: dict[Position, tuple[float, float]] = {
    "center": (0.0, 0.0),
    "left": (-0.26, 0.0),
    "right": (0.26, 0.0),
    "top": (0.0, -0.26),
    "bottom": (0.0, 0.26),
    "top left": (-0.26, -0.26),
    "top right": (0.26, -0.26),
    "bottom left": (-0.26, 0.26),
    "bottom right": (0.26, 0.26),
}

#: Pairs of colours that are hard to tell apart; they never meet in one picture.
CLOSE: frozenset[frozenset[Colour]] = frozenset(
    frozenset(pair)
    for pair in (
        ("orange", "yellow"), ("orange", "brown"), ("red", "orange"), ("purple", "blue"), ("pink", "purple"),
        ("cyan", "blue"), ("white", "yellow"), ("black", "brown"), ("gray", "white"), ("gray", "cyan"),
        ("gray", "brown"), ("pink", "white"), ("pink", "red"), ("red", "brown"), ("gray", "purple"),
        ("cyan", "green"), ("cyan", "white"), ("green", "brown"), ("gray", "pink"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One flat shape of a scene."""

    shape: Shape
    colour: Colour
    size: Size
    position: Position


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture before it is drawn: ``seed`` fixes its jitter, ``second`` is the pattern's colour."""

    background: Colour
    second: Colour | None
    pattern: Pattern
    objects: tuple[SceneObject, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of the kinds of scenes that :func:`sample_scene` draws.

    ``sizes`` weighs small, medium and large single objects; ``off_centre`` is the share of single objects
    that may stand off centre (large ones never do, they would not fit); ``same_colour`` of pairs have one
    colour.
    """

    two_objects: float = 0.2
    patterned: float = 0.35
    sizes: tuple[float, float, float] = (0.25, 0.5, 0.25)
    off_centre: float = 0.55
    same_colour: float = 0.1


def contrasting(rng: random.Random, *others: Colour | None) -> Colour:
    """A colour that is neither equal nor close to any of the given ones."""
    taken = [other for other in others if other is not None]
    allowed = [
        colour
        for colour in COLOURS
        if all(colour != other and frozenset((colour, other)) not in CLOSE for other in taken)
    ]
    if not allowed:
        raise ValueError(f"no colour contrasts with all of {taken}")
    return rng.choice(allowed)


def _single(rng: random.Random, mixture: Mixture, taken: Sequence[Colour | None]) -> tuple[SceneObject, ...]:
    size = rng.choices(SIZES, mixture.sizes)[0]
    off_centre = size != "large" and rng.random() < mixture.off_centre
    position = rng.choice(POSITIONS) if off_centre else POSITIONS[0]
    return (SceneObject(rng.choice(SHAPES), contrasting(rng, *taken), size, position),)


def _pair(
    rng: random.Random, mixture: Mixture, taken: Sequence[Colour | None], plain: bool
) -> tuple[SceneObject, ...]:
    places: tuple[Position, Position] = rng.choice((("left", "right"), ("top", "bottom")))
    first = contrasting(rng, *taken)
    # On a patterned background three colours are taken already: a fourth that contrasts with all may not
    # exist.
    distinct = plain and rng.random() >= mixture.same_colour
    second = contrasting(rng, *taken, first) if distinct else first
    size: Size = "medium" if rng.random() < 0.75 else "small"
    return tuple(
        SceneObject(rng.choice(SHAPES), colour, size, place)
        for place, colour in zip(places, (first, second), strict=True)
    )


def sample_scene(seed: int, mixture: Mixture | None = None) -> Scene:
    """Draw the scene of a seed and mixture; held-out combinations are not left out here."""
    mixture = mixture or Mixture()
    rng = random.Random(seed)
    background = rng.choice(COLOURS)
    pattern: Pattern = "plain"
    second: Colour | None = None
    if rng.random() < mixture.patterned:
        pattern = rng.choice(PATTERNS[1:])
        second = contrasting(rng, background)
    taken = (background, second)
    if rng.random() < mixture.two_objects:
        objects = _pair(rng, mixture, taken, pattern == "plain")
    else:
        objects = _single(rng, mixture, taken)
    return Scene(background, second, pattern, objects, seed)
