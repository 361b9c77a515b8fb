"""Captions: many ways to say the same scene, so that the model learns the meaning and not one template."""

from __future__ import annotations

import random

from nodegraph_nodes.tiny.scenes import Colour, Position, Scene, SceneObject, Size

#: Words for an attribute value; a repeated word is chosen more often. Values not listed are said as they are.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "cyan": ("cyan", "cyan", "turquoise"),
    "gray": ("gray", "grey"),
    "purple": ("purple", "purple", "violet"),
    "circle": ("circle", "circle", "disc", "ball"),
    "square": ("square", "square", "box"),
    "ring": ("ring", "ring", "donut"),
    "cross": ("cross", "cross", "plus sign"),
    "diamond": ("diamond", "diamond", "rhombus"),
    "small": ("small", "tiny", "little"),
    "large": ("large", "big", "huge"),
}
_PLAIN = ("on {} background",) * 3 + ("on {bare}", "with {} background", "{bare} background")
_PREFIXES = ("",) * 5 + ("a picture of ", "a drawing of ", "an image of ")


def _word(value: str, rng: random.Random) -> str:
    return rng.choice(SYNONYMS.get(value, (value,)))


def with_article(words: str) -> str:
    """``words`` with its indefinite article."""
    return f"an {words}" if words[0] in "aeio" else f"a {words}"


def _plain(colour: Colour, rng: random.Random) -> str:
    word = _word(colour, rng)
    return rng.choice(_PLAIN).format(with_article(word), bare=word)


def _background(scene: Scene, rng: random.Random) -> str:
    if scene.second is None:
        return _plain(scene.background, rng)
    first, second = _word(scene.background, rng), _word(scene.second, rng)
    if scene.pattern == "gradient":
        return rng.choice(
            (
                f"on {with_article(first)} to {second} gradient background",
                f"on a gradient from {first} to {second}",
                f"{first} to {second} gradient background",
            )
        )
    if scene.pattern == "dots":
        return rng.choice(
            (
                f"on {with_article(first)} background with {second} dots",
                f"on {first} with {second} dots",
                f"{first} background with {second} dots",
            )
        )
    adjective, noun = ("striped", "stripes") if scene.pattern == "stripes" else ("checkered", "checks")
    if rng.random() < 0.5:  # neither colour of stripes and checks comes first
        first, second = second, first
    return rng.choice(
        (
            f"on {with_article(first)} and {second} {adjective} background",
            f"on {first} and {second} {noun}",
            f"{adjective} {first} and {second} background",
        )
    )


def _size(size: Size, rng: random.Random) -> str:
    if size == "medium":
        return "medium " if rng.random() < 0.25 else ""
    return _word(size, rng) + " "


def _noun(item: SceneObject, rng: random.Random) -> str:
    return with_article(f"{_size(item.size, rng)}{_word(item.colour, rng)} {_word(item.shape, rng)}")


def _place(position: Position, rng: random.Random) -> str:
    if position == "center":
        return rng.choice(("", "", "", " in the middle", " in the center"))
    if " " in position:
        return rng.choice((f" in the {position}", f" in the {position} corner"))
    if position in ("left", "right"):
        return rng.choice((f" on the {position}", f" on the {position} side"))
    return f" at the {position}"


def _pair(scene: Scene, rng: random.Random) -> str:
    a, b = (_noun(item, rng) for item in scene.objects)
    kind = rng.choice((0, 0, 1, 2))
    if scene.objects[0].position == "left":
        return (f"{a} left of {b}", f"{a} on the left and {b} on the right", f"{b} right of {a}")[kind]
    return (f"{a} above {b}", f"{a} at the top and {b} at the bottom", f"{b} below {a}")[kind]


def caption(scene: Scene, rng: random.Random) -> str:
    """One of the captions that describe a scene fully; ``rng`` chooses the wording."""
    if len(scene.objects) == 2:
        subject = _pair(scene, rng)
    else:
        subject = _noun(scene.objects[0], rng) + _place(scene.objects[0].position, rng)
    subject = rng.choice(_PREFIXES) + subject
    background = _background(scene, rng)
    if background.startswith(("on ", "with ")):
        if rng.random() < 0.85:
            return f"{subject} {background}"
        bare = background.split(" ", 1)[1]
        return f"{subject}, {bare.removeprefix('a ').removeprefix('an ')}"
    return f"{background}, {subject}" if rng.random() < 0.4 else f"{subject}, {background}"
