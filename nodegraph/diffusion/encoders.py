"""Which file holds which text encoder of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from nodegraph.diffusion.basefile import BaseFile
from nodegraph.diffusion.text.embeddings import KIND
from nodegraph.diffusion.text.parts import may_be_absent
from nodegraph.errors import InputError
from nodegraph.modelfiles.families import Encoder, Family
from nodegraph.values import ModelFile, TextEncoder


class Place(NamedTuple):
    """A text encoder of a family and the recipe of it alone."""

    encoder: Encoder
    recipe: TextEncoder


def declared_encoders(recipe: TextEncoder, families: Sequence[Family]) -> tuple[Encoder, ...]:
    """The text encoders of the recipe's family. InputError where nobody knows the family."""
    for family in families:
        if family.name == recipe.family:
            return family.encoders
    raise InputError(
        f"the model family '{recipe.family}' is unknown",
        code="unknown_family",
        expected=f"one of {', '.join(family.name for family in families)}",
        found=f"'{recipe.family}'",
        remedy="Install the plugin that provides it.",
    )


def places(
    recipe: TextEncoder, families: Sequence[Family], base_of: Callable[[ModelFile], BaseFile]
) -> list[Place]:
    """The encoders of the recipe's family that its files hold; the first file that has one counts.

    ModelFileError: a file is of another family, or an encoder is missing that zeros may not stand for.
    """
    declared = declared_encoders(recipe, families)
    components = [encoder.component for encoder in declared]
    files = [recipe.base, *recipe.others]
    found: list[Place] = []
    for encoder in declared:
        holders = [file for file in files if encoder.component in base_of(file).names]
        if not holders and may_be_absent(components):
            continue
        file = (holders or files)[0]
        base_of(file).check(recipe.family, encoder.component)
        # Patches change CLIP-L alone so far: `lora_match` refuses files that are for more than that.
        # Embeddings change no weight.
        patches = [patch for patch in recipe.patches if patch.kind != KIND and encoder.component == "clip_l"]
        found.append(Place(encoder, replace(recipe, base=file, others=(), patches=tuple(patches))))
    if not found:
        base_of(recipe.base).check(recipe.family, components[0])
    return found
