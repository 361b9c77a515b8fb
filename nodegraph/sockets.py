"""Socket types and assignability: may a value of one type flow into an input of another, and why not.

Types are small frozen classes derived from annotations (see `declare`). Every type says its name in
words, so that a refused link can be explained without knowing Python.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ScalarName = Literal["bool", "int", "float", "text"]


_PYTHON: Mapping[ScalarName, type | tuple[type, ...]] = {
    "bool": bool,
    "int": int,
    "float": (float, int),
    "text": str,
}


@dataclass(frozen=True, slots=True)
class SocketType(ABC):
    """Root of the socket types."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The type as a person would say it."""

    @property
    def has_literal(self) -> bool:
        """Whether a value of this type can be written into a document."""
        return True

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Whether a value that a node returned is of this type."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The type for the wire: `{"type": ...}` with what else is needed to judge links."""


@dataclass(frozen=True, slots=True)
class Scalar(SocketType):
    """A plain value; its range lives in the input's JSON schema."""

    name: ScalarName

    @property
    def words(self) -> str:
        return {"bool": "true or false", "int": "whole number", "float": "number", "text": "text"}[self.name]

    def holds(self, value: object) -> bool:
        return isinstance(value, _PYTHON[self.name]) and isinstance(value, bool) == (self.name == "bool")

    def to_json(self) -> dict[str, Any]:
        return {"type": self.name}


@dataclass(frozen=True, slots=True)
class Menu(SocketType):
    """One of a fixed set of values, declared as a `Literal`."""

    options: tuple[str | int, ...]

    @property
    def words(self) -> str:
        return "one of " + ", ".join(str(option) for option in self.options)

    def holds(self, value: object) -> bool:
        return value in self.options

    def to_json(self) -> dict[str, Any]:
        return {"type": "menu", "options": list(self.options)}


@dataclass(frozen=True, slots=True)
class ChoiceType(SocketType):
    """A name from an open registry that plugins extend, such as `samplers`."""

    registry: str

    @property
    def words(self) -> str:
        return f"a name from {self.registry}"

    def holds(self, value: object) -> bool:
        return isinstance(value, str)

    def to_json(self) -> dict[str, Any]:
        return {"type": "choice", "registry": self.registry}


@dataclass(frozen=True, slots=True)
class FileType(SocketType):
    """The name of a file of a kind (`checkpoints`, `images`, …); its content's hash stands in keys."""

    kind: str

    @property
    def words(self) -> str:
        return f"the name of a file in {self.kind}"

    def holds(self, value: object) -> bool:
        return isinstance(value, str)

    def to_json(self) -> dict[str, Any]:
        return {"type": "file", "kind": self.kind}


@dataclass(frozen=True, slots=True)
class ValueType(SocketType):
    """A value class such as `Image`; never written into a document."""

    cls: type

    @property
    def name(self) -> str:
        """The class name in snake case: `TextEncoder` is `text_encoder`."""
        return "".join(("_" + c.lower()) if c.isupper() else c for c in self.cls.__name__).lstrip("_")

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    def has_literal(self) -> bool:
        return False

    def holds(self, value: object) -> bool:
        return isinstance(value, self.cls)

    def to_json(self) -> dict[str, Any]:
        return {"type": self.name}


@dataclass(frozen=True, slots=True)
class ListType(SocketType):
    """An ordered list of one type. An input whose list `wraps` takes a single value as a list of one."""

    item: SocketType
    wraps: bool = False

    @property
    def words(self) -> str:
        return f"list of {self.item.words}"

    @property
    def has_literal(self) -> bool:
        return self.item.has_literal

    def holds(self, value: object) -> bool:
        return isinstance(value, list | tuple) and all(map(self.item.holds, value))

    def to_json(self) -> dict[str, Any]:
        wraps = {"wraps": True} if self.wraps else {}
        return {"type": "list", "item": self.item.to_json(), **wraps}


@dataclass(frozen=True, slots=True)
class OptionalType(SocketType):
    """A type or nothing."""

    item: SocketType

    @property
    def words(self) -> str:
        return f"{self.item.words} or nothing"

    def holds(self, value: object) -> bool:
        return value is None or self.item.holds(value)

    def to_json(self) -> dict[str, Any]:
        return {"type": "optional", "item": self.item.to_json()}


@dataclass(frozen=True, slots=True)
class UnionType(SocketType):
    """One of several types."""

    options: tuple[SocketType, ...]

    @property
    def words(self) -> str:
        return " or ".join(option.words for option in self.options)

    @property
    def has_literal(self) -> bool:
        return any(option.has_literal for option in self.options)

    def holds(self, value: object) -> bool:
        return any(option.holds(value) for option in self.options)

    def to_json(self) -> dict[str, Any]:
        return {"type": "union", "options": [option.to_json() for option in self.options]}


@dataclass(frozen=True, slots=True)
class GenericType(SocketType):
    """Any one type, the same wherever this name stands in the node: solved when the graph is bound."""

    name: str

    @property
    def words(self) -> str:
        return f"anything ({self.name})"

    def holds(self, value: object) -> bool:  # noqa: ARG002 - whatever it is
        return True

    def to_json(self) -> dict[str, Any]:
        return {"type": "generic", "name": self.name}


@dataclass(frozen=True, slots=True)
class SubgraphType(SocketType):
    """The name of a subgraph (`#name`) that the node runs: what it is given, and what it must give.

    each: the growing input of whose lists it is given one value each, by their names.
    """

    takes: tuple[tuple[str, SocketType], ...]
    gives: tuple[tuple[str, SocketType], ...]
    each: str = ""

    @property
    def words(self) -> str:
        return "the name of a subgraph"

    def holds(self, value: object) -> bool:
        return isinstance(value, str)

    def to_json(self) -> dict[str, Any]:
        sides = {"takes": self.takes, "gives": self.gives}
        named = {side: {name: type_.to_json() for name, type_ in types} for side, types in sides.items()}
        return {"type": "subgraph", **named, **({"each": self.each} if self.each else {})}


@dataclass(frozen=True, slots=True)
class VariantType(SocketType):
    """A record of named fields, or one of several kinds of record that a field tells apart."""

    options: tuple[type[Any], ...]
    discriminator: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the kinds, in snake case."""
        return tuple(ValueType(option).name for option in self.options)

    @property
    def words(self) -> str:
        return "a record of " + " or ".join(name.replace("_", " ") for name in self.names)

    def holds(self, value: object) -> bool:
        return isinstance(value, self.options)

    def to_json(self) -> dict[str, Any]:
        return {"type": "variant", "options": list(self.names), "discriminator": self.discriminator}


def from_json(  # noqa: C901 - one case for each type
    data: Mapping[str, Any], classes: Mapping[str, type]
) -> SocketType:
    """The type that `to_json` wrote; `classes` are the value classes by their names in snake case.

    ValueError names a type that is neither built in nor among the classes.
    """
    match data:
        case {"type": ("bool" | "int" | "float" | "text") as name}:
            return Scalar(name)
        case {"type": "menu", "options": [_, *_] as options} if all(
            type(one) in (str, int) for one in options
        ):
            return Menu(tuple(options))
        case {"type": "choice", "registry": str(registry)}:
            return ChoiceType(registry)
        case {"type": "file", "kind": str(kind)}:
            return FileType(kind)
        case {"type": "list", "item": item}:
            return ListType(from_json(item, classes), bool(data.get("wraps")))
        case {"type": "variant", "options": [_, *_] as options, "discriminator": field} if set(
            options
        ) <= set(classes):
            return VariantType(tuple(classes[name] for name in options), field)
        case {"type": "optional", "item": item}:
            return OptionalType(from_json(item, classes))
        case {"type": "union", "options": [_, *_] as options}:
            return UnionType(tuple(from_json(option, classes) for option in options))
        case {"type": "generic", "name": str(name)}:
            return GenericType(name)
        case {"type": "subgraph", "takes": takes, "gives": gives}:
            return SubgraphType(_named(takes, classes), _named(gives, classes), str(data.get("each", "")))
        case {"type": name} if name in classes:
            return ValueType(classes[name])
    raise ValueError(f"no socket type is written as {dict(data)!r}")


def _named(data: Mapping[str, Any], classes: Mapping[str, type]) -> tuple[tuple[str, SocketType], ...]:
    return tuple((name, from_json(one, classes)) for name, one in data.items())


def is_generic(type_: SocketType) -> bool:
    """Whether a type is only known in a graph: it holds a type variable, or names a subgraph to run."""
    match type_:
        case GenericType() | SubgraphType():
            return True
        case ListType(item) | OptionalType(item):
            return is_generic(item)
        case UnionType(options):
            return any(map(is_generic, options))
    return False


def is_plain(type_: SocketType) -> bool:
    """Whether every value of a type is plain data: numbers, text, booleans, records, and lists of them."""
    match type_:
        case Scalar() | Menu() | ChoiceType() | FileType() | VariantType():
            return True
        case ListType(item) | OptionalType(item):
            return is_plain(item)
        case UnionType(options):
            return all(map(is_plain, options))
    return False


def records_in(type_: SocketType) -> tuple[type[Any], ...]:
    """The records that literals of a type are, or hold."""
    match type_:
        case VariantType(options):
            return options
        case ListType(item) | OptionalType(item):
            return records_in(item)
        case UnionType(options):
            return tuple(record for option in options for record in records_in(option))
    return ()


def choices_in(type_: SocketType) -> tuple[str, ...]:
    """The open registries from which values of a type are names, or hold names."""
    match type_:
        case ChoiceType(registry):
            return (registry,)
        case ListType(item) | OptionalType(item):
            return choices_in(item)
        case UnionType(options):
            return tuple(registry for option in options for registry in choices_in(option))
    return ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a link fits, and the reason in words."""

    ok: bool
    reason: str


_SAME = Verdict(True, "same type")


def assignable(source: SocketType, target: SocketType) -> Verdict:
    """Judge a link from an output of type `source` to an input of type `target`."""
    if source is target or source == target:
        return _SAME
    if isinstance(source, GenericType) or isinstance(target, GenericType):
        return Verdict(True, "anything fits")
    if isinstance(source, UnionType):
        return _every_option(source, target)
    if isinstance(target, OptionalType):
        inner = source.item if isinstance(source, OptionalType) else source
        return assignable(inner, target.item)
    if isinstance(source, OptionalType):
        return Verdict(False, f"the value may be missing, and {target.words} is required")
    if isinstance(target, UnionType):
        return _some_option(source, target)
    if isinstance(source, ListType) and isinstance(target, ListType):
        return assignable(source.item, target.item)
    if isinstance(target, ListType) and target.wraps:
        verdict = assignable(source, target.item)
        return Verdict(True, "taken as a list of one") if verdict.ok else verdict
    return _plain(source, target)


def _every_option(source: UnionType, target: SocketType) -> Verdict:
    for option in source.options:
        verdict = assignable(option, target)
        if not verdict.ok:
            return Verdict(False, f"the value may be {option.words}: {verdict.reason}")
    return Verdict(True, "every kind of value fits")


def _some_option(source: SocketType, target: UnionType) -> Verdict:
    for option in target.options:
        if assignable(source, option).ok:
            return Verdict(True, f"fits as {option.words}")
    return Verdict(False, f"{source.words} is none of: {target.words}")


def _plain(source: SocketType, target: SocketType) -> Verdict:
    match source, target:
        case Scalar("int"), Scalar("float"):
            return Verdict(True, "every whole number is a number")
        case Scalar("float"), Scalar("int"):
            return Verdict(False, "a number may have a fraction, which a whole number would lose")
        case ((ChoiceType() | FileType()), Scalar("text")):
            return Verdict(True, "a name is text")
        case Menu(options), Scalar():
            return _menu_into_scalar(options, target)
        case Scalar("text"), (Menu() | ChoiceType() | FileType()):
            return Verdict(False, f"not every text is {target.words}")
        case Menu(given), Menu(allowed):
            extra = [str(option) for option in given if option not in allowed]
            return Verdict(not extra, f"it may be {', '.join(extra)}" if extra else "every option is allowed")
        case VariantType(given), VariantType(allowed):
            extra = [name for name, one in zip(source.names, given, strict=True) if one not in allowed]
            return Verdict(not extra, f"it may be {', '.join(extra)}" if extra else "every kind is allowed")
        case ValueType(given_cls), ValueType(wanted_cls) if issubclass(given_cls, wanted_cls):
            return Verdict(True, f"{source.words} is a kind of {target.words}")
    return Verdict(False, f"{source.words} is not {target.words}")


def _menu_into_scalar(options: tuple[str | int, ...], target: Scalar) -> Verdict:
    kinds = {type(option) for option in options}
    if kinds == {str} and target.name == "text":
        return Verdict(True, "every option is text")
    if kinds == {int} and target.name in ("int", "float"):
        return Verdict(True, "every option is a whole number")
    return Verdict(False, f"{Menu(options).words} is not {target.words}")
