"""Several lists taken together: side by side, in all combinations, or with lists of one repeated."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Literal

from nodegraph.errors import InputError

Mode = Literal["zip", "product", "broadcast"]
MOST = 100_000


def combine(lengths: Mapping[str, int], mode: Mode) -> list[tuple[int, ...]]:
    """For every step the position in each list.

    lengths are by the name of the input. `zip`: side by side, all of one length; `product`: all combinations,
    the last list varies fastest; `broadcast`: side by side, a list of one is repeated. InputError: lengths
    that do not go together, or too many combinations.
    """
    if mode == "product":
        count = math.prod(lengths.values())
        if count > MOST:  # before they are made
            raise InputError(
                "the lists have too many combinations", expected=f"up to {MOST}", found=str(count)
            )
        return list(itertools.product(*map(range, lengths.values())))
    repeats = mode == "broadcast"
    alone = {name for name, length in lengths.items() if repeats and length == 1}
    many = {name: length for name, length in lengths.items() if name not in alone} or dict(lengths)
    first, count = next(iter(many.items()))
    for name, length in many.items():
        if length != count:
            raise InputError(
                f"the list differs in length from '{first}'", input=name,
                expected=f"{count} values" + (" or one" if repeats else ""), found=f"{length} values",
                remedy="" if repeats else "Use 'broadcast' to repeat lists of one, or 'product'.",
            )  # fmt: skip
    return [tuple(0 if name in alone else step for name in lengths) for step in range(count)]
