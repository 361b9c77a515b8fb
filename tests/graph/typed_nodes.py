"""Nodes at module level, as packs have them: what the builder and exported code import."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field

from nodegraph import Context, OneOrMany, hookimpl, node
from nodegraph.runtime import Lazy

Small = Annotated[float, Field(ge=-10, le=10)]


class Parts(NamedTuple):
    """Two named outputs."""

    whole: int
    rest: float


class Only(NamedTuple):
    """One named output."""

    length: int


@node("typed.number", lane="inline")
def number(value: float = 0.0) -> float:
    """Give a number."""
    return value


@node("typed.add", lane="inline")
def add(a: float, b: float = 1.0) -> float:
    """Add two numbers."""
    return a + b


@node("typed.parts", lane="inline")
def parts(ctx: Context, number: float, by: int = 1) -> Parts:
    """Divide, with a rest."""
    ctx.check_cancelled()
    return Parts(int(number // by), number % by)


@node("typed.measure", lane="inline")
def measure(text: str) -> Only:
    """Count letters."""
    return Only(len(text))


@node("typed.later")
async def later(ctx: Context, number: float) -> float:
    """Give a number a moment later."""
    ctx.check_cancelled()
    await asyncio.sleep(0)
    return number


@node("typed.show", lane="inline", output=True)
def show(number: float) -> None:
    """Show a number."""


@node("typed.total", lane="inline")
def total(*numbers: Small) -> float:
    """Add any number of numbers."""
    return sum(numbers)


@node("typed.listed", lane="inline")
def listed(first: str, *rest: str, end: str = ".", **named: int | str) -> str:
    """Tell what was given, in order."""
    return " ".join([first, *rest, *(f"{name}={value}" for name, value in named.items())]) + end


@node("typed.later_total")
async def later_total(ctx: Context, start: float = 0.0, *numbers: float) -> float:
    """Add numbers a moment later."""
    ctx.check_cancelled()
    await asyncio.sleep(0)
    return start + sum(numbers)


@node("typed.first")
async def first_of(*branches: Lazy[float]) -> float:
    """Run the first branch and no other."""
    return await branches[0]


class Resize(BaseModel, frozen=True):
    """Make it another size."""

    kind: Literal["resize"] = "resize"
    width: Annotated[int, Field(ge=1, le=100)]
    scale: float = 1.0


class Crop(BaseModel, frozen=True):
    """Keep a part of it."""

    kind: Literal["crop"] = "crop"
    edges: tuple[int, int] = (0, 0)


Mode = Annotated[Resize | Crop, Field(discriminator="kind")]


@node("typed.transform", lane="inline")
def transform(mode: Mode, then: Mode | None = None) -> str:
    """Tell what was chosen."""
    return f"{mode!r} {then!r}"


@node("typed.resize", lane="inline")
def resize(to: Resize = Resize(width=8)) -> float:  # noqa: B008 - it is frozen
    """Give the width times the scale."""
    return to.width * to.scale


@node("typed.average", lane="inline")
def average(numbers: Annotated[list[float], OneOrMany()]) -> float:
    """Give the mean."""
    return sum(numbers) / len(numbers)


class TypedPack:
    """The pack as an object."""

    @hookimpl
    def register_nodes(self) -> list[object]:
        return [
            number, add, parts, measure, later, show, total, listed, later_total, first_of, transform, resize,
            average,
        ]  # fmt: skip
