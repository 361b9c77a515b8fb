"""From annotations to socket types: what a parameter's type says about its socket."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, is_typeddict

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nodegraph import sockets
from nodegraph.errors import DeclarationError
from nodegraph.marks import Body, Choice, File, OneOrMany

_SCALARS: Mapping[object, sockets.Scalar] = {
    bool: sockets.Scalar("bool"),
    int: sockets.Scalar("int"),
    float: sockets.Scalar("float"),
    str: sockets.Scalar("text"),
}


def socket_type(annotation: Any, place: str) -> sockets.SocketType:
    """The socket type of an annotation. DeclarationError names `place` when there is none."""
    if get_origin(annotation) is Annotated:
        base, *extras = get_args(annotation)
        return _marked_type(base, extras, place) or socket_type(base, place)
    if isinstance(annotation, TypeVar):
        return sockets.GenericType(annotation.__name__)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return sockets.Menu(args)
    if origin in (list, Sequence) and args:
        return sockets.ListType(socket_type(args[0], place))
    if origin in (Union, types.UnionType):
        return _union(args, place)
    if is_record(annotation):
        return sockets.VariantType(_records([annotation], place))
    if isinstance(annotation, type) and not is_typeddict(annotation) and _is_value_class(annotation):
        return sockets.ValueType(annotation)
    raise DeclarationError(
        f"{place}: {annotation!r} cannot be a socket",
        expected="bool, int, float, str, a Literal, a list, a union or a frozen value class",
    )


def _marked_type(base: Any, extras: Sequence[object], place: str) -> sockets.SocketType | None:
    for extra in extras:
        if isinstance(extra, OneOrMany):
            return _wrapping_list(socket_type(base, place), place)
        if isinstance(extra, FieldInfo) and isinstance(extra.discriminator, str):
            return sockets.VariantType(_records(get_args(base), place), extra.discriminator)
        if isinstance(extra, Body):
            takes = tuple((name, socket_type(one, place)) for name, one in extra.takes.items())
            gives = tuple((name, socket_type(one, place)) for name, one in extra.gives.items())
            return sockets.SubgraphType(takes, gives, extra.each)
        if isinstance(extra, Choice):
            return sockets.ChoiceType(extra.registry)
        if isinstance(extra, File):
            return sockets.FileType(extra.kind)
    return None


def _wrapping_list(type_: sockets.SocketType, place: str) -> sockets.SocketType:
    if not isinstance(type_, sockets.ListType) or isinstance(type_.item, sockets.ListType):
        raise DeclarationError(f"{place}: OneOrMany() marks a {type_.words}", expected="a list of one type")
    return sockets.ListType(type_.item, wraps=True)


def is_record(annotation: Any) -> bool:
    """Whether an annotation is a pydantic model."""
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return isinstance(base, type) and issubclass(base, BaseModel)


def _records(classes: Sequence[Any], place: str) -> tuple[type, ...]:
    for cls in classes:
        if not is_record(cls) or not cls.model_config.get("frozen"):
            raise DeclarationError(
                f"{place}: {cls!r} is not a frozen pydantic model",
                remedy="Write class Resize(BaseModel, frozen=True).",
            )
    return tuple(classes)


def _union(args: tuple[Any, ...], place: str) -> sockets.SocketType:
    if sum(map(is_record, args)) > 1:
        raise DeclarationError(
            f"{place}: nothing tells the records of the union apart",
            remedy='Name a field that does: Annotated[Resize | Crop, Field(discriminator="kind")].',
        )
    options = tuple(socket_type(arg, place) for arg in args if arg is not type(None))
    inner = options[0] if len(options) == 1 else sockets.UnionType(options)
    return sockets.OptionalType(inner) if type(None) in args else inner


def literal_part(annotation: Any) -> Any:
    """The annotation without value classes, which no literal is: `float | None` of `Image | float | None`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (list, Sequence) and args:
        return list[literal_part(args[0])]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        kept = [literal_part(arg) for arg in args if arg is type(None) or socket_type(arg, "").has_literal]
        return Union[tuple(kept)]  # noqa: UP007 - the options are known at run time only
    return annotation


def _is_value_class(annotation: type) -> bool:
    parameters = getattr(annotation, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
