"""A plugin's family is asked before the built-in ones, and reaches the model store of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nodegraph import Engine
from nodegraph.errors import DeclarationError
from nodegraph.hookspecs import hookimpl
from nodegraph.modelfiles.families import FAMILIES, Family
from nodegraph.modelfiles.families.sd1 import SD1
from nodegraph.packs import load_packs
from nodegraph.registry import Registry

REFINED = replace(SD1, name="tiny", title="tiny models", detect=lambda shapes: "out.2.weight" in shapes)


class Pack:
    """A pack with a family."""

    @hookimpl
    def register_model_families(self) -> Sequence[Family]:
        return [REFINED]


def test_a_family_of_a_pack_tells_its_files(tmp_path: Path) -> None:
    packs = load_packs(extra=[("test", Pack())])
    assert packs.failures == []
    with Engine(tmp_path, device="cpu", packs=packs) as engine:
        assert engine.registry.families == (REFINED, *FAMILIES)
        found = engine.resources.models.inspect(engine.files.get("checkpoints", "tiny.safetensors"))
    assert (found.family, found.prediction) == ("tiny", "v")


def test_a_name_is_taken_once() -> None:
    registry = Registry()
    with pytest.raises(DeclarationError, match="sd1"):
        registry.add_families([SD1])
