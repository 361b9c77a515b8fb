"""Loops over subgraphs: every iteration is planned, cached and reported like any other part of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar

from pydantic import Field

from nodegraph import Added, Body, Context, OneOrMany, node
from nodegraph.errors import NodegraphError
from nodegraph.runtime import BodyOf
from nodegraph_nodes.logic.combine import Mode, combine

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")


class Again(Protocol[S_co]):
    """What the body of `logic.while` gives."""

    @property
    def state(self) -> S_co:
        """The next state."""
        ...

    @property
    def again(self) -> bool:
        """Whether to go on."""
        ...


EachBody = Annotated[
    BodyOf[U], Body({"item": T, "index": int}, {"result": U}, each="lists"),
    Field(description="#name: item, index, and one of each list -> result"),
]  # fmt: skip
Together = Annotated[Mode, Added(), Field(description="how several lists are taken together")]
FoldBody = Annotated[
    BodyOf[S], Body({"state": S, "item": T, "index": int}, {"state": S}),
    Field(description="#name: state, item, index -> state"),
]  # fmt: skip
StepBody = Annotated[
    BodyOf[S],
    Body({"state": S, "index": int}, {"state": S}),
    Field(description="#name: state, index -> state"),
]
WhileBody = Annotated[
    BodyOf[Again[S]], Body({"state": S, "index": int}, {"state": S, "again": bool}),
    Field(description="#name: state, index -> state, again"),
]  # fmt: skip
Count = Annotated[int, Field(ge=0, le=100_000, description="how often")]
Limit = Annotated[int, Field(ge=1, le=100_000, description="steps after which the loop is an error")]


@node("logic.for_each", category="Logic", title="For each")
async def for_each(
    ctx: Context, /, body: EachBody[U], items: list[T], mode: Together = "zip",  # noqa: ARG001 - as below
    **lists: Annotated[Sequence[V], OneOrMany(), Field(description="more lists, by their names in the body")],
) -> list[U]:  # fmt: skip
    """Run a subgraph for every item of a list, or of several, and give the list of its results.

    The subgraph may take `item`, `index` and, by its name, one value of each list; it gives `result`. Several
    lists are taken side by side (zip), in all combinations (product, the last list varies fastest), or side
    by side with lists of one repeated (broadcast). What was seen before is not computed again. Iterations
    overlap, unless the subgraph saves or shows something.
    """
    given = {"item": ctx.items("items")} | {name: ctx.items(f"lists.{name}") for name in lists}
    lengths = {("items" if name == "item" else f"lists.{name}"): len(keyed) for name, keyed in given.items()}
    steps = combine(lengths, mode)
    taken = [
        {"index": ctx.literal(step)}
        | {name: keyed[at] for (name, keyed), at in zip(given.items(), places, strict=True)}
        for step, places in enumerate(steps)
    ]
    return [made["result"].value for made in await ctx.run_each(body, taken)]


@node("logic.fold", category="Logic", title="Fold")
async def fold(ctx: Context, body: FoldBody[S], items: list[T], initial: S) -> S:  # noqa: ARG001 - inputs are read with their keys
    """Carry a state through a list: the subgraph makes the next `state` from `state` and `item`."""
    state, keyed = ctx.keyed("initial"), ctx.items("items")
    for index in ctx.steps(len(keyed)):
        given = {"state": state, "item": keyed[index], "index": ctx.literal(index)}
        state = (await ctx.run(body, given, str(index)))["state"]
    result: S = state.value
    return result


@node("logic.repeat", category="Logic", title="Repeat")
async def repeat(ctx: Context, body: StepBody[S], initial: S, count: Count = 1) -> S:  # noqa: ARG001 - as above
    """Apply a subgraph to a state again and again, a number of times."""
    state = ctx.keyed("initial")
    for index in ctx.steps(count):
        given = {"state": state, "index": ctx.literal(index)}
        state = (await ctx.run(body, given, str(index)))["state"]
    result: S = state.value
    return result


@node("logic.while", category="Logic", title="While")
async def repeat_while(ctx: Context, body: WhileBody[S], initial: S, limit: Limit = 1000) -> S:  # noqa: ARG001 - as above
    """Apply a subgraph to a state until it gives `again` = false. It runs at least once.

    A loop that does not end within `limit` steps is an error.
    """
    state = ctx.keyed("initial")
    for index in ctx.steps(limit):
        made = await ctx.run(body, {"state": state, "index": ctx.literal(index)}, str(index))
        state = made["state"]
        if not made["again"].value:
            result: S = state.value
            return result
    raise NodegraphError(
        f"the loop did not end within {limit} steps", code="step_limit", input="limit",
        remedy="Raise the limit, or check what gives 'again'.",
    )  # fmt: skip
