"""The held-out rule: which combinations never enter training, and the fixed prompts that score a model on
them.

Single objects: one (colour, shape, background) combination in ten. Two objects: one combination of the two
(colour, shape) pairs and the background in ten, whichever side each object is on.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from nodegraph_nodes.tiny.captions import caption
from nodegraph_nodes.tiny.scenes import COLOURS, SHAPES, Mixture, Scene, SceneObject, sample_scene

#: The committed prompts.
FILE = Path(__file__).with_name("heldout.json")

#: Every how many-th combination is held out.
SHARE = 10

Combination = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A held-out prompt: its text, the scene it describes, and the one noise seed it is scored with."""

    text: str
    scene: Scene
    noise_seed: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The committed prompts: ``single`` objects and ``pairs`` of objects, all on plain backgrounds."""

    single: tuple[Prompt, ...]
    pairs: tuple[Prompt, ...]


def combination(scene: Scene) -> Combination:
    """What the rule looks at: colours and shapes of the objects (in no order) and the background's colour."""
    pairs = sorted(f"{item.colour} {item.shape}" for item in scene.objects)
    return (*pairs, scene.background)


def is_held_out(scene: Scene) -> bool:
    """Whether training must never see this scene, whatever its sizes, positions and pattern."""
    if len(scene.objects) == 1:
        item = scene.objects[0]
        mark = 131 * COLOURS.index(item.colour) + 17 * SHAPES.index(item.shape)
        return (mark + 7 * COLOURS.index(scene.background)) % SHARE == 0
    digest = hashlib.blake2b("|".join(combination(scene)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % SHARE == 0


def training_scenes(first_seed: int, mixture: Mixture | None = None) -> Iterator[Scene]:
    """Endless training scenes from consecutive seeds; the held-out combinations are left out."""
    seed = first_seed
    while True:
        scene = sample_scene(seed, mixture)
        if not is_held_out(scene):
            yield scene
        seed += 1


def make(
    singles: int = 200,
    pairs: int = 100,
    first_seed: int = 92_000_000,
    avoid: Container[Combination] = frozenset(),
) -> HeldOut:
    """Draw the held-out prompts, no combination of a pair twice.

    ``avoid`` leaves out more pairs: those that an earlier model, trained before the rule for pairs existed,
    has seen.
    """

    def draw(count: int, mixture: Mixture, seed: int, noise: int) -> tuple[Prompt, ...]:
        prompts: list[Prompt] = []
        rng = random.Random(seed)
        seen: set[Combination] = set()
        while len(prompts) < count:
            scene = sample_scene(seed, mixture)
            seed += 1
            if not is_held_out(scene):
                continue
            if len(scene.objects) == 2:
                pair = combination(scene)
                if pair in seen or pair in avoid:
                    continue
                seen.add(pair)
            prompts.append(Prompt(caption(scene, rng), scene, noise + len(prompts)))
        return tuple(prompts)

    return HeldOut(
        draw(singles, Mixture(two_objects=0.0, patterned=0.0), first_seed, 1000),
        draw(pairs, Mixture(two_objects=1.0, patterned=0.0, same_colour=0.0), first_seed + 1_000_000, 2000),
    )


def dumps(held_out: HeldOut) -> str:
    """The committed file's text: one prompt per line."""
    lists = []
    for name, prompts in (("single", held_out.single), ("pairs", held_out.pairs)):
        rows = ",\n".join("  " + json.dumps(asdict(prompt)) for prompt in prompts)
        lists.append(f'"{name}": [\n{rows}\n]')
    return "{" + ",\n".join(lists) + "}\n"


def _prompt(row: dict[str, object]) -> Prompt:
    raw = cast("dict[str, object]", row["scene"])
    rows = cast("list[dict[str, str]]", raw["objects"])
    objects = tuple(SceneObject(**item) for item in rows)  # type: ignore[arg-type]
    scene = Scene(**{**raw, "objects": objects})  # type: ignore[arg-type]
    return Prompt(cast("str", row["text"]), scene, cast("int", row["noise_seed"]))


def load(path: Path = FILE) -> HeldOut:
    """Read the committed prompts."""
    data = cast("dict[str, list[dict[str, object]]]", json.loads(path.read_text(encoding="utf-8")))
    return HeldOut(tuple(map(_prompt, data["single"])), tuple(map(_prompt, data["pairs"])))
