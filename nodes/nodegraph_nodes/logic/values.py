"""Constants, number ranges and comparisons: what loops and branches are fed with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError

Comparison = Literal["less", "less or equal", "equal", "not equal", "greater or equal", "greater"]
Step = Annotated[int, Field(description="not 0")]
_COMPARE: Mapping[Comparison, Callable[[float, float], bool]] = {
    "less": operator.lt,
    "less or equal": operator.le,
    "equal": operator.eq,
    "not equal": operator.ne,
    "greater or equal": operator.ge,
    "greater": operator.gt,
}
Operation = Literal["+", "-", "×", "÷", "min", "max"]
_CALCULATE: Mapping[Operation, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "×": operator.mul,
    "÷": operator.truediv,
    "min": min,
    "max": max,
}
_MOST = 100_000


@node("value.number", category="Value", title="Number", lane="inline")
def number(value: float = 0.0) -> float:
    """Give a number, to be used in several places."""
    return value


@node("value.integer", category="Value", title="Whole number", lane="inline")
def integer(value: int = 0) -> int:
    """Give a whole number, to be used in several places."""
    return value


@node("value.text", category="Value", title="Text", lane="inline")
def text(value: str = "") -> str:
    """Give a text, to be used in several places."""
    return value


@node("value.boolean", category="Value", title="True or false", lane="inline")
def boolean(value: bool = False) -> bool:
    """Give true or false, to be used in several places."""
    return value


@node("value.range", category="Value", title="Range", lane="inline")
def number_range(stop: int, start: int = 0, step: Step = 1) -> list[int]:
    """Whole numbers from start up to, not including, stop."""
    if step == 0 or len(range(start, stop, step)) > _MOST:
        raise InputError(
            "the range has no end in sight",
            input="step",
            expected=f"at most {_MOST} numbers",
            found=str(step),
        )
    return list(range(start, stop, step))


@node("logic.compare", category="Logic", title="Compare", lane="inline")
def compare(a: float, b: float, how: Comparison = "less") -> bool:
    """Compare two numbers; true where the comparison holds."""
    return _COMPARE[how](a, b)


@node("math.calculate", category="Value", title="Calculate", lane="inline")
def calculate(a: float, b: float, how: Operation = "+") -> float:
    """Combine two numbers. Division by zero is an error."""
    if how == "÷" and b == 0:
        raise InputError("division by zero", input="b", expected="any other number", found="0")
    return _CALCULATE[how](a, b)
