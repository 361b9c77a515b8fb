"""Which links fit, and why: one table of cases for the engine and the editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from nodegraph import values
from nodegraph.sockets import assignable, from_json

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("socket_cases.json").read_text("utf-8"))
CLASSES: dict[str, type] = {
    "image": values.Image,
    "mask": values.Mask,
    "latent": values.Latent,
    "recipe": values.Recipe,
    "model": values.Model,
    "vae": values.Vae,
}


class Resize(BaseModel, frozen=True):
    """One kind of record."""


class Crop(BaseModel, frozen=True):
    """Another kind."""


CLASSES.update({"resize": Resize, "crop": Crop})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['source']} into {case['target']}")
def test_the_table_says_whether_a_link_fits_and_why(case: dict[str, Any]) -> None:
    verdict = assignable(from_json(case["source"], CLASSES), from_json(case["target"], CLASSES))
    assert (verdict.ok, verdict.reason) == (case["ok"], case["reason"])


@pytest.mark.parametrize("side", ["source", "target"])
def test_every_type_in_the_table_survives_its_json_form(side: str) -> None:
    for case in CASES:
        assert from_json(case[side], CLASSES).to_json() == case[side]


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(ValueError, match="'spaceship'"):
        from_json({"type": "spaceship"}, CLASSES)
