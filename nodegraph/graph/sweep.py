"""Sweeps: axes over named inputs, and the cells that they span."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nodegraph.declare import InputSpec
from nodegraph.errors import InputError
from nodegraph.graph.inputs import RANDOM, parse_text

Mode = Literal["grid", "zip"]
MAX_CELLS = 10_000
_RANGE = re.compile(r"(-?\d{1,20})\.\.(-?\d{1,20})(?:\.\.(\d{1,20}))?")


@dataclass(frozen=True, slots=True)
class Axis:
    """One named input and the values that it takes, in order."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as a contact sheet remembers it: its axes, and the named output that it shows."""

    axes: tuple[Axis, ...]
    mode: Mode
    output: str

    def to_json(self) -> dict[str, Any]:
        """The sweep as JSON data, for a run record."""
        axes = [[axis.name, list(axis.values)] for axis in self.axes]
        return {"mode": self.mode, "axes": axes, "output": self.output}


def sweep_of(run: object) -> Sweep | None:
    """The sweep in what a record says about its run; None if the picture is no contact sheet."""
    match run:
        case {"sweep": {"mode": "grid" | "zip" as mode, "axes": [*axes], "output": str(output)}}:
            pass
        case _:
            return None
    found = [Axis(name, tuple(values)) for name, values in _named_lists(axes)]
    return Sweep(tuple(found), mode, output) if found and len(found) == len(axes) else None


def _named_lists(axes: Sequence[object]) -> Iterator[tuple[str, Sequence[Any]]]:
    for axis in axes:
        match axis:
            case [str(name), [_, *_] as values]:
                yield name, values


def drawn(axes: Sequence[Axis], specs: Mapping[str, InputSpec], draw: Callable[[], int]) -> list[Axis]:
    """The axes with every seed that is written as "random" drawn: what is recorded gives the same again."""
    return [
        Axis(axis.name, tuple(draw() if value == RANDOM else value for value in axis.values))
        if axis.name in specs and specs[axis.name].is_seed
        else axis
        for axis in axes
    ]


def parse_axis(text: str, specs: Mapping[str, InputSpec]) -> Axis:
    """An axis as written: `seed=1..8`, `steps=10..30..10` (with a step), `cfg=4,7`, `prompt=a cat|a dog`.

    Values are split at `|` if there is one, else at commas. InputError names an input that does not exist,
    or an axis without values.
    """
    name, equals, written = text.partition("=")
    if not equals or not written:
        raise InputError(f"'{text}' is not an axis", expected="NAME=VALUE,VALUE or NAME=FROM..TO", found=text)
    if name not in specs:
        raise InputError(
            f"the workflow has no input '{name}' to sweep over", code="unknown_input",
            remedy=f"There is: {', '.join(specs)}.",
        )  # fmt: skip
    span = _RANGE.fullmatch(written)
    if span:
        return Axis(name, _span(text, int(span[1]), int(span[2]), int(span[3] or 1)))
    parts = written.split("|") if "|" in written else written.split(",")
    return Axis(name, tuple(parse_text(specs[name], part.strip()) for part in parts))


def _span(text: str, first: int, last: int, step: int) -> tuple[int, ...]:
    if step < 1 or abs(last - first) // max(step, 1) >= MAX_CELLS:
        raise InputError(f"'{text}' has no end in sight", expected=f"up to {MAX_CELLS} values", found=text)
    return tuple(range(first, last + 1, step) if last >= first else range(first, last - 1, -step))


def cells(axes: Sequence[Axis], mode: Mode = "grid") -> list[dict[str, Any]]:
    """The inputs of every run: all combinations (the last axis varies fastest), or the axes side by side.

    InputError: an input on two axes, axes of different lengths side by side, or too many cells.
    """
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names):
        raise InputError("an input stands on two axes", found=", ".join(names), remedy="Join them into one.")
    lengths = [len(axis.values) for axis in axes]
    if mode == "zip" and len(set(lengths)) > 1:
        raise InputError(
            "the axes differ in length", expected="equally many values on each",
            found=", ".join(f"{axis.name}: {len(axis.values)}" for axis in axes),
        )  # fmt: skip
    count = math.prod(lengths) if mode == "grid" else max(lengths, default=0)
    if count > MAX_CELLS:  # before they are made
        raise InputError("the sweep is too large", expected=f"up to {MAX_CELLS} runs", found=str(count))
    together = itertools.product if mode == "grid" else zip
    return [dict(zip(names, values, strict=True)) for values in together(*(axis.values for axis in axes))]


def columns(axes: Sequence[Axis], mode: Mode = "grid") -> int:
    """How many cells make a row of a contact sheet: the last axis of a grid, else about a square."""
    count = len(cells(axes, mode))
    if mode == "grid" and len(axes) > 1:
        return len(axes[-1].values)
    return min(count, max(4, math.isqrt(count)))


def label(cell: Mapping[str, Any]) -> str:
    """A cell in words: `seed: 3, cfg: 7.0`."""
    return ", ".join(f"{name}: {value}" for name, value in cell.items())
