"""`logic.if`: only the side that is taken runs."""

from __future__ import annotations

from typing import TypeVar

from nodegraph import node
from nodegraph.runtime import Lazy

T = TypeVar("T")


@node("logic.if", category="Logic", title="If")
async def choose(condition: bool, then: Lazy[T], otherwise: Lazy[T]) -> T:
    """Give `then` where the condition is true, else `otherwise`. The other side never runs."""
    return await (then if condition else otherwise)
