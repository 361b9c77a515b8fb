"""Pretraining of the text encoder: every padded token must tell the whole scene.

Real Stable Diffusion starts from CLIP, whose tokens already mean something. The small encoder gets its
meaning here: one linear layer on its states must name every attribute of the scene, at the end token and
at a random padding position. 60 of the 77 tokens that the UNet attends to are padding, so they should
carry it too.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodegraph_nodes.tiny.captions import caption
from nodegraph_nodes.tiny.heldout import is_held_out
from nodegraph_nodes.tiny.loop import Loss, Recipe
from nodegraph_nodes.tiny.nets import TextEncoder
from nodegraph_nodes.tiny.scenes import (
    COLOURS,
    PATTERNS,
    POSITIONS,
    SHAPES,
    SIZES,
    Mixture,
    Scene,
    sample_scene,
)
from nodegraph_nodes.tiny.tokenizer import CaptionTokenizer

RECIPE = Recipe(minutes=4, learning_rate=1.5e-3, warm_up=50, betas=(0.9, 0.98), average=0.99)
MIXTURE = Mixture(two_objects=0.35)

#: Number of answers to each question; where something can be absent, one more answer says so.
QUESTIONS: dict[str, int] = {
    "pattern": len(PATTERNS),
    "background": len(COLOURS),
    "second": len(COLOURS) + 1,
    "objects": 2,
    "colour 1": len(COLOURS),
    "shape 1": len(SHAPES),
    "size": len(SIZES),
    "position 1": len(POSITIONS),
    "colour 2": len(COLOURS) + 1,
    "shape 2": len(SHAPES) + 1,
    "position 2": len(POSITIONS) + 1,
}


def answers(scene: Scene) -> list[int]:
    """The right answer to every question."""
    first, other = scene.objects[0], scene.objects[1] if len(scene.objects) == 2 else None
    return [
        PATTERNS.index(scene.pattern),
        COLOURS.index(scene.background),
        COLOURS.index(scene.second) if scene.second else len(COLOURS),
        len(scene.objects) - 1,
        COLOURS.index(first.colour),
        SHAPES.index(first.shape),
        SIZES.index(first.size),
        POSITIONS.index(first.position),
        COLOURS.index(other.colour) if other else len(COLOURS),
        SHAPES.index(other.shape) if other else len(SHAPES),
        POSITIONS.index(other.position) if other else len(POSITIONS),
    ]


class TextStage:
    """Trains a text encoder and its reading layer.

    ``teacher`` (a tokenizer and an encoder) is for a model that goes on from an older one: the new encoder
    also imitates the older one's states, so that the older UNet still understands it.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        tokenizer: CaptionTokenizer,
        teacher: tuple[CaptionTokenizer, TextEncoder] | None = None,
    ) -> None:
        self.encoder, self.tokenizer, self.teacher = encoder, tokenizer, teacher
        self.reader = nn.Linear(encoder.config.width, sum(QUESTIONS.values()))
        self.module: nn.Module = nn.ModuleDict({"encoder": encoder, "reader": self.reader})
        self.rng = random.Random()

    def _scenes(self, count: int) -> list[Scene]:
        scenes: list[Scene] = []
        while len(scenes) < count:
            scene = sample_scene(self.rng.randrange(2**40), MIXTURE)
            if not is_held_out(scene):
                scenes.append(scene)
        return scenes

    def loss(self, step: int, progress: float) -> Loss:  # noqa: ARG002 - the same at any time
        """Cross entropy of all questions at two positions, and the distance to the teacher."""
        # Captions are short, so most batches are cut to 30 tokens; some are whole, for the far padding.
        length, count = (77, 16) if step % 4 == 3 else (30, 48)
        scenes = self._scenes(count)
        texts = [caption(scene, self.rng) for scene in scenes]
        ids = torch.tensor([self.tokenizer(text)[:length] for text in texts])
        device = self.reader.weight.device
        with torch.autocast(device.type, torch.bfloat16):
            states = self.encoder(ids.to(device)).float()
        end = (ids == self.tokenizer.end).int().argmax(1)
        padding = (end + ((length - end) * torch.rand(count)).long()).clamp(max=length - 1)
        right = torch.tensor([answers(scene) for scene in scenes], device=device)
        total = torch.zeros((), device=device)
        hits: list[Tensor] = []
        for position in (end, padding):
            told = self.reader(states[torch.arange(count), position.to(device)])
            for index, logits in enumerate(told.split(list(QUESTIONS.values()), 1)):
                total = total + functional.cross_entropy(logits, right[:, index])
                hits.append((logits.argmax(1) == right[:, index]).float().mean())
        shown = {"right": torch.stack(hits).mean().item()}
        if self.teacher is not None:
            distance = _distance(self.teacher, texts, length, states)
            total = total + 20 * distance
            shown["distance"] = distance.item()
        return Loss(total, shown)


def _distance(
    teacher: tuple[CaptionTokenizer, TextEncoder], texts: list[str], length: int, states: Tensor
) -> Tensor:
    """Mean squared distance to the teacher's states, as a share of their variance."""
    tokenizer, encoder = teacher
    ids = torch.tensor([tokenizer(text)[:length] for text in texts], device=states.device)
    with torch.no_grad(), torch.autocast(states.device.type, torch.bfloat16):
        wanted: Tensor = encoder(ids).float()
    distance: Tensor = (states - wanted).square().mean() / wanted.var()
    return distance
