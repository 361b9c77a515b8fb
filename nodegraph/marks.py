"""Marks: what an annotation of a node's parameter says beyond its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field


@dataclass(frozen=True, slots=True)
class Choice:
    """Marks a `str` input as a name from an open registry: `Annotated[str, Choice("samplers")]`."""

    registry: str


@dataclass(frozen=True, slots=True)
class File:
    """Marks a `str` input as the name of a file: `Annotated[str, File("checkpoints")]`."""

    kind: str


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """Marks a list input that also takes a single value: `Annotated[list[Image], OneOrMany()]`."""


@dataclass(frozen=True, slots=True)
class Added:
    """Marks an input that came later, and whose default means what the node did before it.

    At its default it does not count in keys, so that results from before are still found.
    """


@dataclass(frozen=True)
class Body:
    """Marks a `str` input as the name of a subgraph that the node runs with `ctx.run`.

    takes: what the node gives it, by name (a subgraph may leave some out); gives: the outputs that it must
    have. Both map names to annotations, type variables among them: `Body({"item": T}, {"result": U})`. each:
    an input `**lists: list[V]` of the node, of whose lists the node gives it one value each, by their names.
    """

    takes: Mapping[str, Any]
    gives: Mapping[str, Any]
    each: str = ""


@dataclass(frozen=True, slots=True)
class SeedMark:
    """Marks an `int` input as a seed, which may be written as "random" and is resolved at submit."""


Seed = Annotated[int, Field(ge=0, le=2**64 - 1, description="the same seed gives the same noise"), SeedMark()]
