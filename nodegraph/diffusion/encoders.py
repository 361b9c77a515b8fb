"""Which file holds which text encoder of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from nodegraph.diffusion.basefile import BaseFile
from nodegraph.diffusion.text.embeddings import KIND
from nodegraph.diffusion.text.parts import may_be_absent
from nodegraph.errors import InputError, ModelFileError
from nodegraph.modelfiles.families import Encoder, Family
from nodegraph.values import ModelFile, Patch, TextEncoder

Reach = Callable[[Patch, ModelFile], Collection[str] | None]
"""The components of a file that a patch is for; None where it does not tell beforehand."""


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
    recipe: TextEncoder, families: Sequence[Family], base_of: Callable[[ModelFile], BaseFile], reach: Reach
) -> list[Place]:
    """The encoders of the recipe's family that its files hold; the first file that has one counts.

    Each has those of the recipe's patches that are for it, so that encoders which a patch leaves alone are
    shared with recipes without it. ModelFileError: a file is of another family, an encoder is missing that
    zeros may not stand for, or a patch is for nothing in any of the files.
    """
    declared = declared_encoders(recipe, families)
    components = [encoder.component for encoder in declared]
    files = [recipe.base, *recipe.others]
    patches = [patch for patch in recipe.patches if patch.kind != KIND]  # embeddings change no weight
    reached = {(patch, file): reach(patch, file) for patch in patches for file in files}
    for patch in patches:
        if all(reached[patch, file] is not None and not reached[patch, file] for file in files):
            raise _for_nothing(patch, recipe)
    found: list[Place] = []
    for encoder in declared:
        holders = [file for file in files if encoder.component in base_of(file).names]
        if not holders and may_be_absent(components):
            continue
        file = (holders or files)[0]
        base_of(file).check(recipe.family, encoder.component)
        own = []
        for patch in patches:
            parts = reached[patch, file]
            if parts is None or encoder.component in parts:
                own.append(patch)
        found.append(Place(encoder, replace(recipe, base=file, others=(), patches=tuple(own))))
    if not found:
        base_of(recipe.base).check(recipe.family, components[0])
    return found


def _for_nothing(patch: Patch, recipe: TextEncoder) -> ModelFileError:
    files = " or ".join(f"'{file.name}'" for file in (recipe.base, *recipe.others))
    return ModelFileError(
        f"a patch of kind '{patch.kind}' fits nothing in {files}",
        code="patch_matches_nothing",
        expected=f"one made for text encoders of the family '{recipe.family}'",
        remedy="Take it off the text encoder.",
    )
