"""Lists: what loops run over. Made, taken apart, and put together."""

from __future__ import annotations

from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import Field

from nodegraph import Context, node
from nodegraph.errors import InputError
from nodegraph_nodes.logic.combine import MOST, Mode, combine

T = TypeVar("T")
U = TypeVar("U")
Count = Annotated[int, Field(ge=0, le=MOST, description="how often")]
Position = Annotated[int, Field(description="0 is the first, -1 the last")]


class Pairs(NamedTuple, Generic[T, U]):
    """Two lists of one length, to be taken side by side."""

    first: list[T]
    second: list[U]


@node("list.make", category="List", title="Make list", lane="inline")
def make(ctx: Context, *items: T) -> list[T]:  # noqa: ARG001 - else type checkers take an item for a context
    """Put values of one type into a list, in order."""
    return list(items)


@node("list.get", category="List", title="Get from list", lane="inline")
def get(items: list[T], index: Position = 0) -> T:
    """Give one value of a list. A position outside the list is an error."""
    if not -len(items) <= index < len(items):
        raise InputError(
            "there is no value at that position", input="index",
            expected=f"from {-len(items)} to {len(items) - 1}" if items else "a list that is not empty",
            found=str(index),
        )  # fmt: skip
    return items[index]


@node("list.length", category="List", title="Length of list", lane="inline")
def length(items: list[T]) -> int:
    """Count the values of a list."""
    return len(items)


@node("list.join", category="List", title="Join lists", lane="inline")
def join(*lists: list[T]) -> list[T]:
    """Put lists one after another into one list."""
    return [item for one in lists for item in one]


@node("list.repeat", category="List", title="Repeat in list", lane="inline")
def repeat(ctx: Context, value: T, count: Count = 2) -> list[T]:  # noqa: ARG001 - as above
    """Give a list that holds one value a number of times."""
    return [value] * count


@node("list.zip", category="List", title="Zip lists", lane="inline")
def side_by_side(first: list[T], second: list[U]) -> Pairs[T, U]:
    """Take two lists side by side. Lists that differ in length are an error."""
    return _pairs(first, second, "zip")


@node("list.product", category="List", title="Combine lists", lane="inline")
def product(first: list[T], second: list[U]) -> Pairs[T, U]:
    """Give all combinations of the values of two lists; the second list varies fastest."""
    return _pairs(first, second, "product")


@node("list.broadcast", category="List", title="Broadcast lists", lane="inline")
def broadcast(first: list[T], second: list[U]) -> Pairs[T, U]:
    """Take two lists side by side; a list of one is repeated to the length of the other."""
    return _pairs(first, second, "broadcast")


def _pairs(first: list[T], second: list[U], mode: Mode) -> Pairs[T, U]:
    steps = combine({"first": len(first), "second": len(second)}, mode)
    return Pairs([first[one] for one, _ in steps], [second[other] for _, other in steps])
