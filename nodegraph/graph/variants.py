"""Literals that are records: validated by their pydantic models, every field's problem with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from nodegraph.declare import InputSpec
from nodegraph.errors import Problem, brief
from nodegraph.registry import suggest
from nodegraph.sockets import OptionalType, SocketType, VariantType

_CODES = {
    "missing": "missing_field",
    "union_tag_not_found": "missing_field",
    "union_tag_invalid": "not_in_menu",
    "literal_error": "not_in_menu",
    "enum": "not_in_menu",
    "extra_forbidden": "unknown_input",
}
_WRONG_TYPE = ("_type", "_parsing")


def validate(spec: InputSpec, value: Any) -> tuple[Any, list[Problem]]:
    """The value with its records made and their defaults filled in, or what is wrong, place by place.

    The input of a problem is the place inside the value: `.width`, `[1].kind`.
    """
    try:
        # As JSON: there an object may become a model although nothing else is guessed.
        checked = spec.adapter.validate_json(json.dumps(_lossless(value)), strict=True)
    except ValidationError as error:
        problems = [_problem(item, value) for item in error.errors()]
        model = model_of(spec.type, value)
        return None, problems + (_unknown_names(model, value, "") if model is not None else [])
    return checked, _unknown_fields(checked, value, "")


def _lossless(value: Any) -> Any:
    """5.0 is a whole number, which also fits where a fraction may stand."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _lossless(item) for name, item in value.items()}
    return [_lossless(item) for item in value] if isinstance(value, list) else value


def _problem(item: Any, value: Any) -> Problem:
    place, found = _place(item["loc"], value)
    kind, context = item["type"], item.get("ctx", {})
    message = item["msg"][:1].lower() + item["msg"][1:]
    if kind.startswith("union_tag"):
        place += "." + context["discriminator"].strip("'")
        tags = str(context.get("expected_tags", "")).replace("'", "")
        message = "nothing says which kind of record it is" if not tags else "there is no such kind of record"
        shown = str(context["tag"]) if "tag" in context else None
        return Problem(_CODES[kind], message, input=place, expected=tags or None, found=shown)
    if kind == "missing":
        return Problem(_CODES[kind], "the field is required", input=place)
    code = _CODES.get(kind, "wrong_type" if kind.endswith(_WRONG_TYPE) else "out_of_range")
    return Problem(code, message, input=place, found=brief(found))


def _place(location: Sequence[int | str], value: Any) -> tuple[str, Any]:
    """The place of a problem as the document shows it: without the kinds that pydantic names on the way."""
    place = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            place += f"[{part}]"
            value = value[part]
        elif isinstance(value, Mapping) and (part in value or index == len(location) - 1):
            place += f".{part}"
            value = value.get(part)
    return place, value


def _unknown_fields(checked: Any, value: Any, place: str) -> list[Problem]:
    """A misspelt field is an error, whatever the model says about fields that it does not know."""
    if isinstance(checked, list) and isinstance(value, list):
        pairs = zip(checked, value, strict=True)
        return [p for i, (one, raw) in enumerate(pairs) for p in _unknown_fields(one, raw, f"{place}[{i}]")]
    if not isinstance(checked, BaseModel) or not isinstance(value, Mapping):
        return []
    problems = _unknown_names(type(checked), value, place)
    for name, field in _fields(type(checked)).items():
        if name in value:
            problems += _unknown_fields(getattr(checked, field), value[name], f"{place}.{name}")
    return problems


def _unknown_names(model: type[BaseModel], value: Mapping[str, Any], place: str) -> list[Problem]:
    fields = _fields(model)
    return [
        Problem(
            "unknown_input", "there is no such field", input=f"{place}.{name}",
            remedy=suggest(name, fields) or None,
        )
        for name in value
        if name not in fields
    ]  # fmt: skip


def _fields(model: type[BaseModel]) -> dict[str, str]:
    """The names of a model's fields in documents and in Python."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def model_of(type_: SocketType, value: Any) -> type[BaseModel] | None:
    """The model that a record is meant to be, if that is clear although it may not be valid."""
    inner = type_.item if isinstance(type_, OptionalType) else type_
    if not isinstance(inner, VariantType) or not isinstance(value, Mapping):
        return None
    if inner.discriminator is None:
        return inner.options[0]
    for option in inner.options:
        if value.get(inner.discriminator) in get_args(option.model_fields[inner.discriminator].annotation):
            return option
    return None
