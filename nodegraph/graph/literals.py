"""Literals of a document: coerced to the declared type where nothing is lost, refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from nodegraph.codecs import JSON_LEAVES
from nodegraph.declare import InputSpec, describe_range
from nodegraph.errors import InputError, brief
from nodegraph.graph import variants
from nodegraph.registry import Registry, suggest
from nodegraph.sockets import ChoiceType, FileType, OptionalType, Scalar, SocketType

_RANGE_ERRORS = {
    "greater_than_equal", "greater_than", "less_than_equal", "less_than", "multiple_of", "finite_number",
    "string_too_short", "string_too_long", "too_short", "too_long",
}  # fmt: skip


class FileNames(Protocol):
    """The names of files by kind."""

    def names(self, kind: str) -> Sequence[str]:
        """The names of all files of a kind."""
        ...

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a file of that kind and name."""
        ...


@runtime_checkable
class KnowsContent(Protocol):
    """Files of which some are known by content although they are not there."""

    def hint(self, kind: str, name: str) -> str:
        """How to get a missing file, in a sentence; empty if nothing is known of it."""
        ...


class LiteralError(ValueError):
    """A literal does not fit an input."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        remedy: str = "",
        place: str = "",
        more: Sequence[LiteralError] = (),
    ) -> None:
        """`place` is where inside the value, such as `.width`; `more` is what else is wrong with it."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.expected = expected
        self.found = found
        self.remedy = remedy
        self.place = place
        self.more = tuple(more)

    def all(self) -> tuple[LiteralError, ...]:
        """This error and what else is wrong with the value."""
        return (self, *self.more)


def expected(spec: InputSpec) -> str:
    """What an input takes, in words."""
    return describe_range(spec)


def coerce(spec: InputSpec, value: Any, registry: Registry, files: FileNames) -> Any:
    """The value as the node will get it. LiteralError says why it does not fit."""
    if spec.growing is not None:
        return _coerce_each(spec, value, registry, files)
    if not spec.type.has_literal:
        raise LiteralError(
            "wrong_type", "the input takes a link, not a value",
            expected=spec.type.words, found=brief(value),
            remedy='Write {"from": "node.output"}.',
        )  # fmt: skip
    if spec.wraps and value is not None and not isinstance(value, list):
        value = [value]
    if spec.has_records:
        return _coerce_records(spec, value)
    if isinstance(value, dict):
        raise LiteralError(
            "wrong_type", "an object is neither a link nor a value here", expected=expected(spec),
            found=brief(value), remedy='A link is {"from": "node.output"}.',
        )  # fmt: skip
    try:
        checked = spec.adapter.validate_python(_lossless(spec.type, value), strict=True)
    except ValidationError as error:
        raise _literal_error(spec, value, error) from None
    _check_name(_inner(spec.type), checked, registry, files)
    return checked


def _coerce_each(spec: InputSpec, value: Any, registry: Registry, files: FileNames) -> Any:
    """All values of a growing input."""
    one = replace(spec, growing=None)
    if spec.growing == "list" and isinstance(value, list):
        return [coerce(one, item, registry, files) for item in value]
    if spec.growing == "named" and isinstance(value, dict):
        return {name: coerce(one, item, registry, files) for name, item in value.items()}
    raise LiteralError(
        "wrong_type", "the value has the wrong type", expected=expected(spec), found=brief(value)
    )


def _coerce_records(spec: InputSpec, value: Any) -> Any:
    checked, problems = variants.validate(spec, value)
    errors = [
        LiteralError(
            problem.code, problem.message, expected=problem.expected, found=problem.found,
            remedy=problem.remedy or "", place=problem.input or "",
        )
        for problem in problems
    ]  # fmt: skip
    if errors:
        errors[0].more = tuple(errors[1:])
        raise errors[0]
    return checked


def accept(spec: InputSpec, value: Any) -> Any:
    """A value that came over a link, in the input's range. InputError says why it does not fit.

    Types were judged when the link was; what a number or a text may be is only known now.
    """
    if spec.wraps and value is not None and not isinstance(value, list | tuple):
        return [value]
    if not isinstance(value, JSON_LEAVES) or not spec.type.has_literal:
        return value
    try:
        return spec.adapter.validator.validate_python(value, strict=True)
    except ValidationError as invalid:
        error = _literal_error(spec, value, invalid)
        raise InputError(
            error.message, code=error.code, input=spec.name, expected=error.expected, found=error.found
        ) from None


def _inner(type_: SocketType) -> SocketType:
    return type_.item if isinstance(type_, OptionalType) else type_


def _lossless(type_: SocketType, value: Any) -> Any:
    """5.0 is a whole number: JSON writers differ, and nothing is lost."""
    if _inner(type_) == Scalar("int") and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _literal_error(spec: InputSpec, value: Any, error: ValidationError) -> LiteralError:
    kind = error.errors()[0]["type"]
    if kind in _RANGE_ERRORS:
        return LiteralError(
            "out_of_range", "the value is out of range", expected=expected(spec), found=brief(value)
        )
    if kind == "literal_error":
        return LiteralError(
            "not_in_menu", "the value is not in the menu", expected=expected(spec), found=brief(value)
        )
    return LiteralError(
        "wrong_type", "the value has the wrong type", expected=expected(spec), found=brief(value)
    )


def _check_name(type_: SocketType, value: Any, registry: Registry, files: FileNames) -> None:
    if isinstance(type_, ChoiceType) and value is not None and value not in registry.choices(type_.registry):
        raise LiteralError(
            "not_in_menu", f"there is no '{value}' in {type_.registry}",
            remedy=suggest(value, registry.choices(type_.registry)),
        )  # fmt: skip
    if isinstance(type_, FileType) and value is not None and not files.has(type_.kind, value):
        hint = files.hint(type_.kind, value) if isinstance(files, KnowsContent) else ""
        raise LiteralError(
            "unknown_file", f"there is no file '{value}' in {type_.kind}",
            remedy=hint or suggest(value, files.names(type_.kind))
            or "Put it into the folder for this kind, or give its full path.",
        )  # fmt: skip
