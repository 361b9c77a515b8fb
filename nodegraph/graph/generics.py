"""Type variables: solved node by node, in running order, from what is linked or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nodegraph.sockets import (
    GenericType,
    ListType,
    OptionalType,
    Scalar,
    SocketType,
    UnionType,
    assignable,
)

Solution = dict[str, SocketType]


class DisagreementError(ValueError):
    """Two inputs want one type variable to be two types."""

    def __init__(self, name: str, first: SocketType, second: SocketType) -> None:
        super().__init__(f"its inputs do not agree: {first.words} and {second.words}")
        self.name = name
        self.first = first
        self.second = second


def unify(pattern: SocketType, given: SocketType, solution: Solution) -> None:
    """Learn the type variables of a pattern from a given type. DisagreementError if two types clash.

    Where two types differ but one fits into the other (a whole number is a number), the wider one holds.
    """
    match pattern, given:
        case GenericType(name), _:
            known = solution.get(name)
            if known is None or assignable(known, given).ok:
                solution[name] = given
            elif not assignable(given, known).ok:
                raise DisagreementError(name, known, given)
        case ListType(item), ListType(inner):
            unify(item, inner, solution)
        case ListType(item, wraps=True), _:
            unify(item, given, solution)
        case OptionalType(item), OptionalType(inner):
            unify(item, inner, solution)
        case OptionalType(item), _:
            unify(item, given, solution)


def substitute(pattern: SocketType, solution: Mapping[str, SocketType]) -> SocketType:
    """The pattern with every solved type variable replaced."""
    match pattern:
        case GenericType(name):
            return solution.get(name, pattern)
        case ListType(item, wraps):
            return ListType(substitute(item, solution), wraps)
        case OptionalType(item):
            return OptionalType(substitute(item, solution))
        case UnionType(options):
            return UnionType(tuple(substitute(option, solution) for option in options))
    return pattern


def literal_type(value: Any) -> SocketType | None:
    """The type of a literal; None for one that has none (null, an empty or mixed list)."""
    match value:
        case bool():
            return Scalar("bool")
        case int():
            return Scalar("int")
        case float():
            return Scalar("float")
        case str():
            return Scalar("text")
        case list() if value:
            return _list_type(value)
    return None


def _list_type(values: Iterable[Any]) -> SocketType | None:
    solution: Solution = {}
    for value in values:
        one = literal_type(value)
        if one is None:
            return None
        try:
            unify(GenericType("item"), one, solution)
        except DisagreementError:
            return None
    return ListType(solution["item"])
