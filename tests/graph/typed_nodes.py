"""Nodes at module level, as packs have them: what the builder and exported code import."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from nodegraph import Context, hookimpl, node


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


class TypedPack:
    """The pack as an object."""

    @hookimpl
    def register_nodes(self) -> list[object]:
        return [number, add, parts, measure, later, show]
