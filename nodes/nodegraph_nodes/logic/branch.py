"""Branches: only what is taken runs."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.runtime import Lazy

T = TypeVar("T")
Which = Annotated[int, Field(ge=0, description="0 takes the first branch")]


@node("logic.if", category="Logic", title="If")
async def choose(condition: bool, then: Lazy[T], otherwise: Lazy[T]) -> T:
    """Give `then` where the condition is true, else `otherwise`. The other side never runs."""
    return await (then if condition else otherwise)


@node("logic.switch", category="Logic", title="Switch")
async def switch(index: Which, *branches: Lazy[T]) -> T:
    """Give the branch at a position, counted from 0. The others never run.

    A position at which there is no branch is an error.
    """
    if index >= len(branches):
        raise InputError(
            "there is no branch at that position", input="index",
            expected=f"from 0 to {len(branches) - 1}" if branches else "a branch to choose",
            found=str(index), remedy="Add a branch, or check what gives the index.",
        )  # fmt: skip
    return await branches[index]


@node("logic.select", category="Logic", title="Select")
async def select(key: str, otherwise: Lazy[T] | None = None, **cases: Lazy[T]) -> T:
    """Give the case with a name. The others never run.

    A name without a case gives `otherwise`; where that is not given either, it is an error.
    """
    taken = cases.get(key, otherwise)
    if taken is None:
        raise InputError(
            "there is no case of that name", input="key",
            expected=" or ".join(repr(name) for name in cases) or "a case to choose", found=repr(key),
            remedy="Add the case, or give 'otherwise'.",
        )  # fmt: skip
    return await taken
