"""A pack whose nodes have every kind of field that the editor draws."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from nodegraph import Seed, hookimpl, node

Weight = Annotated[float, Field(ge=0, le=10, description="how much it counts")]
Colour = Annotated[str, Field(pattern="^#([0-9a-fA-F]{6}){1,2}$", json_schema_extra={"format": "color"})]
Glass = Annotated[str, Field(json_schema_extra={"format": "color", "alpha": True})]


class Resize(BaseModel, frozen=True):
    """Make it larger or smaller."""

    kind: Literal["resize"] = "resize"
    width: Annotated[int, Field(ge=1, le=4096, description="pixels")] = 64
    smooth: bool = True


class Crop(BaseModel, frozen=True):
    """Cut a part out."""

    kind: Literal["crop"] = "crop"
    width: Annotated[int, Field(ge=1, le=4096)] = 64
    left: int = 0
    names: list[str] = []
    limit: float | None = None


Mode = Annotated[Resize | Crop, Field(discriminator="kind")]


@node("fields.grow", title="Growing fields")
def grow(*values: Weight, **named: float) -> float:
    """Add numbers up: some in order, some by name."""
    return sum(values) + sum(named.values())


@node("fields.lists", title="List fields")
def lists(numbers: list[float], words: list[str] = [], many: list[Crop] = []) -> str:  # noqa: B006 - never changed
    """Put lists into a text."""
    return f"{numbers} {words} {len(many)}"


@node("fields.variant", title="Variant field")
def variant(mode: Mode, crop: Crop = Crop(left=3), spare: Resize | None = None) -> str:  # noqa: B008 - frozen
    """Say what was chosen."""
    return f"{mode.kind} {mode.width} {crop.left} {spare}"


@node("fields.optional", title="Optional fields")
def optional(
    strength: float | None = None, name: str | None = None, limit: int | None = 5, tint: Colour | None = None
) -> str:
    """Say what was given."""
    return f"{strength} {name} {limit} {tint}"


@node("fields.colour", title="Colour fields")
def colour(fill: Colour = "#336699", glass: Glass = "#33669980", either: int | str = 3) -> str:
    """Say the colours."""
    return f"{fill} {glass} {either}"


@node("fields.seed", title="Seed field")
def seed(seed: Seed = 7) -> int:
    """Give the seed."""
    return seed


class _Pack:
    @hookimpl
    def register_nodes(self) -> list[object]:
        return [grow, lists, variant, optional, colour, seed]


PACK = _Pack()
