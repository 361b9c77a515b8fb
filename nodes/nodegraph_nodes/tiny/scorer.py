"""Judging pictures against the scenes they were asked to show, and summing the judgements up honestly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from nodegraph_nodes.tiny.reading import Reading, border_colour, read
from nodegraph_nodes.tiny.scenes import OFFSET, Position, Scene

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is right in a picture of a single object."""

    background: bool
    colour: bool
    position: bool
    shape: bool


@dataclass(frozen=True, slots=True)
class PairJudgement:
    """What is right in a picture of two objects; ``colours`` and ``shapes`` need both, each in its place."""

    background: bool
    colours: bool
    shapes: bool


@dataclass(frozen=True, slots=True)
class Share:
    """A share of right answers with its binomial standard error."""

    right: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.right / self.total

    @property
    def error(self) -> float:
        """Standard error of the share (Wilson's centre keeps it from being zero at 0 and 1)."""
        centre = (self.right + 2) / (self.total + 4)
        return math.sqrt(centre * (1 - centre) / (self.total + 4))

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} ± {100 * self.error:.1f} %"


def in_place(centre: tuple[float, float], position: Position) -> bool:
    """Whether an object's centre (offset from the middle) lies where the word says, on both axes."""
    return all(
        abs(offset) < 0.13 if wanted == 0 else offset * wanted > 0 and abs(offset) > 0.1
        for offset, wanted in zip(centre, OFFSET[position], strict=True)
    )


def judge(picture: Picture, scene: Scene) -> Judgement:
    """Judge a picture of a scene with a single object on a plain background."""
    (wanted,) = scene.objects
    seen = read(picture)
    return Judgement(
        background=seen.background == scene.background,
        colour=seen.colour == wanted.colour,
        position=in_place(seen.centre, wanted.position),
        shape=seen.shape == wanted.shape,
    )


def read_halves(picture: Picture, scene: Scene) -> tuple[Reading, Reading]:
    """Read the two halves that the scene's relation names: left and right, or top and bottom."""
    background = border_colour(picture)
    height, width = picture.shape[:2]
    if scene.objects[0].position == "left":
        halves = picture[:, : width // 2], picture[:, width // 2 :]
    else:
        halves = picture[: height // 2], picture[height // 2 :]
    return read(halves[0], background), read(halves[1], background)


def judge_pair(picture: Picture, scene: Scene) -> PairJudgement:
    """Judge a picture of a scene with two objects on a plain background."""
    seen = read_halves(picture, scene)
    pairs = list(zip(seen, scene.objects, strict=True))
    return PairJudgement(
        background=seen[0].background == scene.background,
        colours=all(reading.colour == wanted.colour for reading, wanted in pairs),
        shapes=all(reading.shape == wanted.shape for reading, wanted in pairs),
    )


def shares(judgements: Sequence[Judgement] | Sequence[PairJudgement]) -> dict[str, Share]:
    """The share of right answers of every field, and ``all``: the share of pictures with everything right."""
    names = [field.name for field in fields(judgements[0])]
    rows = [[bool(getattr(judgement, name)) for name in names] for judgement in judgements]
    result = {name: Share(sum(row[index] for row in rows), len(rows)) for index, name in enumerate(names)}
    result["all"] = Share(sum(map(all, rows)), len(rows))
    return result


def report(title: str, judged: dict[str, Share]) -> str:
    """One line for a table of results."""
    return f"{title}: " + ", ".join(f"{name} {share}" for name, share in judged.items())


def judge_all(pictures: Iterable[Picture], scenes: Iterable[Scene]) -> dict[str, Share]:
    """Shares for pictures of single objects."""
    return shares([judge(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)])


def judge_all_pairs(pictures: Iterable[Picture], scenes: Iterable[Scene]) -> dict[str, Share]:
    """Shares for pictures of two objects."""
    return shares([judge_pair(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)])
